"""Actions of the returns service: everything that writes rows, with the events that follow."""
