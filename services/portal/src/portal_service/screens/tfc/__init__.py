"""Screens of the finance company."""
