"""Fault injection points for tests of the event core; in production they do nothing.

The fault runs pass an instance that kills the process at a named point, or that switches off one
guarantee to prove that the history checker notices. The product only ever uses NO_FAULTS.
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
    """Hooks that a test may override; the defaults do nothing."""

    switched_off: frozenset[Guarantee] = field(default_factory=frozenset)

    def crash_point(self, point: CrashPoint) -> None:
        """Execution has reached `point`; a test's subclass may kill the process here."""

    def is_enabled(self, guarantee: Guarantee) -> bool:
        """Whether `guarantee` is enforced; always true in production."""
        return guarantee not in self.switched_off


NO_FAULTS = FaultHooks()
