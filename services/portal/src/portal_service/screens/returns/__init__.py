"""Screens of return applications."""
