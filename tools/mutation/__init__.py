"""Mutation testing of our own rules, event core, actions and queries (`./dev mutate`)."""
