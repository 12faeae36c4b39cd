"""The business decisions of commuter, one file each.

Pure: nothing here reads a clock, a database or a setting.
"""
