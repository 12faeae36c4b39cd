"""The business decisions of notifier, one file each. Pure: no clock, no database, no setting."""
