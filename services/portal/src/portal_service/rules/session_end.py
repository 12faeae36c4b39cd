"""Session end: whether a session still counts (S1-S4).

A session ends when it is ended by its person, an operator or the provider, when nobody has used it
for a while, and after its longest time in any case. Times are seconds since 1970.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum


class EndKind(Enum):
    """What an end names: one session, or every session of a person, account or login there."""

    SESSION = "session"
    PERSON = "person"
    SUBJECT = "subject"
    PROVIDER_SESSION = "provider_session"


class WhyEnded(Enum):
    """Why a session no longer counts."""

    ENDED = "SESSION_ENDED"
    IDLE = "SESSION_IDLE"
    TOO_LONG = "SESSION_TOO_LONG"


EndOf = tuple[EndKind, str]
Ends = Mapping[EndOf, float]
"""Until which begin sessions have ended, by what the end names."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A session: its own id, whose it is, its id at the provider, its begin and its last use."""

    session_id: str
    person: str
    subject: str
    provider_session: str | None
    begun_at: float
    seen_at: float

    def names(self) -> Iterator[EndOf]:
        """What an end must name to be about this session."""
        yield EndKind.SESSION, self.session_id
        yield EndKind.PERSON, self.person
        yield EndKind.SUBJECT, self.subject
        if self.provider_session is not None:
            yield EndKind.PROVIDER_SESSION, self.provider_session


def why_ended(
    session: SessionFacts, ends: Ends, *, now: float, idle_s: float, longest_s: float
) -> WhyEnded | None:
    """Why the session no longer counts; None while it does. A deliberate end is named first."""
    if any(session.begun_at <= ends.get(name, float("-inf")) for name in session.names()):
        return WhyEnded.ENDED
    if now >= session.begun_at + longest_s:
        return WhyEnded.TOO_LONG
    if now >= session.seen_at + idle_s:
        return WhyEnded.IDLE
    return None
