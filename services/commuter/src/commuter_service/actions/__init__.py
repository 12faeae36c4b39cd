"""Actions: change rows and emit events, each in the caller's transaction."""
