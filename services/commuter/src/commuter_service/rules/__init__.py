"""The business decisions of commuter, one file each. Pure: no clock, database or setting."""
