"""Embedded runtime: everything in one process, with demo data."""
