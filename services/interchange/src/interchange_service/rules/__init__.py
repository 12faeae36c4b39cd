"""The business decisions of interchange, one file each. Pure: no clock, no database, no setting."""
