"""What changes rows and emits events: each function is one action in the caller's transaction."""
