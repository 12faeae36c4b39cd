"""The business decisions of returns, one file each. Pure: no clock, no database, no setting."""
