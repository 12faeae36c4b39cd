"""Clients of the services, generated from their OpenAPI documents (ADR 23)."""
