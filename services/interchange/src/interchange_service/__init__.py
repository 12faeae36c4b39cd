"""Interchange: messages from dealers' own systems, and webhooks to them."""
