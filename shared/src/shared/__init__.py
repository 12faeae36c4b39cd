"""Shared machinery of all services: events, HTTP, authentication, database; no business rules."""
