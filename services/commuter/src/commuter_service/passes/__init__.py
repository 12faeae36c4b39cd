"""Commuter passes: reading and showing them."""
