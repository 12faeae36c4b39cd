"""The wire: every event that crosses a service boundary."""
