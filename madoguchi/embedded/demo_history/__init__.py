"""A demo's past: weeks of work at the dealers, done again by the product's own actions.

A script says who did what and when; the services' APIs do it at those instants, and the events and
mails of each half day take effect before the next. Nothing is written around the rules.
"""

from madoguchi.embedded.demo_history.timeline import history_start, replay_history

__all__ = ["history_start", "replay_history"]
