"""The business decisions of returns, one file each. Pure: nothing here reads a clock, a database or a setting."""
