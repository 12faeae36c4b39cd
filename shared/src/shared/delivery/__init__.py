"""Delivery of messages to systems outside: one ledger and one worker for mails and webhooks."""
