"""The business decisions of contracts, one file each.

Pure: nothing here reads a clock, a database or a setting.
"""
