"""Machinery without a business noun."""
