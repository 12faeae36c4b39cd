"""Expense slips: checks and what the API shows."""
