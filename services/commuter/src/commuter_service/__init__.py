"""Travel expenses and the commuter pass that is deducted from them."""
