"""Paths between stations and their candidates."""
