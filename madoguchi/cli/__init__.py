"""The product's command line."""
