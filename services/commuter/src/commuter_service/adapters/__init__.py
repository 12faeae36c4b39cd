"""Database and HTTP sides of the fare engine."""
