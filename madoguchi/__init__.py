"""The all-in-one: command line, embedded parts, demo data."""
