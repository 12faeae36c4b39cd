"""Screens of operators."""
