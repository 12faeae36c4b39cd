"""Migrations of the event core, run before those of the service."""
