"""Stations, lines and what connects them."""
