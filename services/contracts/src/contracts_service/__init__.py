"""Contracts that come to their last instalment, and who looks after them."""
