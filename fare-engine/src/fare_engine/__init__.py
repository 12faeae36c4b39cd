"""The fare engine: network, fares, routing; pure."""
