"""Test support: real servers, and databases and queues of their own."""
