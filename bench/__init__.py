"""Benchmarks against peers. Every table is one run on one machine; compare only the ratios."""
