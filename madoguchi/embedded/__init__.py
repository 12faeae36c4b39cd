"""Everything in one process, with demo data."""
