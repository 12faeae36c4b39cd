"""Where may a test stop or weaken the event core? Nothing here does anything in production.

The fault runs hand in an instance that kills the process at a named point, or that switches one
guarantee off to prove that the history checker notices. The product only ever uses NO_FAULTS.
"""

from dataclasses import dataclass, field
from typing import Literal

CrashPoint = Literal[
    "after_commit",
    "after_publish_before_confirm",
    "after_confirm_before_mark",
    "after_inbox_store_before_ack",
    "mid_handler",
]
Guarantee = Literal["dedupe", "confirms", "fencing", "key_blocking"]


@dataclass(frozen=True, slots=True)
class FaultHooks:
    """What a test may do to the event core; by default nothing."""

    switched_off: frozenset[Guarantee] = field(default_factory=frozenset)

    def crash_point(self, point: CrashPoint) -> None:
        """The process has come to `point`; a test's subclass may kill it here."""

    def is_enabled(self, guarantee: Guarantee) -> bool:
        """Whether `guarantee` holds; always true in production."""
        return guarantee not in self.switched_off


NO_FAULTS = FaultHooks()
