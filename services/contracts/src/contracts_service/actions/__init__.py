"""What changes contracts: each action locks, asks the rule, writes and emits."""
