"""Notifier: mails to people, their schedule, delivery and log."""
