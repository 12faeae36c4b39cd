"""The screens of the manual, one module per group of screens; each has its router `pages`."""
