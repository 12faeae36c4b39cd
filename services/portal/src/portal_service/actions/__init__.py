"""Writes of the portal to its own database, each in one transaction."""
