"""Demo history: past weeks of work at the dealers, replayed through the services' APIs.

A script lists who did what and when. The services' APIs run it at those instants, and the events
and mails of each half day are processed before the next. No rule is bypassed.
"""

from madoguchi.embedded.demo_history.timeline import history_start, replay_history

__all__ = ["history_start", "replay_history"]
