"""How fast is it, beside its peers? Every table is one run on one machine; compare the ratios."""
