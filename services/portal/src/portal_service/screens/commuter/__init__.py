"""Screens of commuter passes and slips."""
