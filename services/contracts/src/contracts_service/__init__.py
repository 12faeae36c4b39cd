"""Contracts service: contracts near their last instalment, and the store and staff in charge."""
