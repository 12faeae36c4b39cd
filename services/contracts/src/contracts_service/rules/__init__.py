"""Business rules of contracts, one file per decision.

Pure functions: no clock, database or settings.
"""
