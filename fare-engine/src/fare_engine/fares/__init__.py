"""Tariffs, charges and their explanation."""
