"""Request context: the transaction and the instant of one request or event.

A service's own context adds the caller, and what else its actions need.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import jst_day


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One transaction at one instant."""

    tx: AsyncSession
    now: datetime

    @property
    def today(self) -> date:
        """The JST day (R65)."""
        return jst_day(self.now)
