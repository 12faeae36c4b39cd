"""Rate limit per key: a number of messages per minute, counted in this process."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Quota:
    """What a key may still send; `allowed` tells whether the messages just asked for may pass."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: int

    @property
    def headers(self) -> dict[str, str]:
        """The RateLimit headers (draft-ietf-httpapi-ratelimit-headers-06), and Retry-After."""
        known = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }
        return known if self.allowed else {**known, "Retry-After": str(self.reset_s)}


@dataclass(slots=True)
class RateLimit:
    """Counts the messages of each key in the current minute of this process."""

    per_minute: int
    seconds: Callable[[], float] = time.monotonic
    _window: int = field(default=-1, init=False)
    _sent: dict[str, int] = field(default_factory=dict, init=False)

    def take(self, key: str, messages: int = 1) -> Quota:
        """Count these messages if the key may send all of them.

        A batch larger than the limit passes in a minute in which nothing else was sent.
        """
        now = self.seconds()
        if (window := int(now // WINDOW_S)) != self._window:
            self._window = window
            self._sent.clear()
        sent = self._sent.get(key, 0)
        if allowed := sent + messages <= self.per_minute or sent == 0:
            self._sent[key] = sent = sent + messages
        reset_s = int((window + 1) * WINDOW_S - now) + 1
        return Quota(allowed, self.per_minute, max(0, self.per_minute - sent), reset_s)
