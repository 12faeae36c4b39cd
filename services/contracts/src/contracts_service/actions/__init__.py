"""Actions on contracts: each locks, applies the rule, writes and emits events."""
