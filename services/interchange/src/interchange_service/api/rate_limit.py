"""Rate limit per key: a number of requests per minute, counted in this process."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW_S = 60


@dataclass(slots=True)
class RateLimit:
    """Counts the requests of each key in the current minute of this process."""

    per_minute: int
    seconds: Callable[[], float] = time.monotonic
    _window: int = field(default=-1, init=False)
    _sent: dict[str, int] = field(default_factory=dict, init=False)

    def wait_s(self, key: str) -> int:
        """0 if the key may send, which is then counted; else the seconds it has to wait."""
        now = self.seconds()
        if (window := int(now // WINDOW_S)) != self._window:
            self._window = window
            self._sent.clear()
        sent = self._sent.get(key, 0)
        if sent >= self.per_minute:
            return int((window + 1) * WINDOW_S - now) + 1
        self._sent[key] = sent + 1
        return 0
