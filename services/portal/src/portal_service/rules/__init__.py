"""Rules of the portal itself: when a session has ended."""
