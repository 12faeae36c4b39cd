"""Business days and half-day slots of the demo history.

Every instant lies in office hours (JST) on a weekday before today; a half day is a slot in which
the steps of several people follow each other closely.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count

from shared.clock import JST

SATURDAY = 5
SLOTS_A_DAY = 2
_BEGINS = (time(9, 40), time(14, 20))
MINUTES_OF_SLOT = 40


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """The business days before `today`, counted backwards: day 0 is the last of them."""

    today: date

    def day(self, ago: int) -> date:
        """The business day `ago` business days before the last one."""
        found = -1
        for back in count(1):
            day = self.today - timedelta(days=back)
            found += day.weekday() < SATURDAY
            if found == ago:
                return day
        raise AssertionError("count never ends")

    def slot(self, number: int) -> tuple[date, int]:
        """Day and half of a slot, counted backwards: slot 0 is the last afternoon."""
        return self.day(number // SLOTS_A_DAY), 1 - number % SLOTS_A_DAY

    def at(self, slot: int, minute: int) -> datetime:
        """The instant `minute` minutes after the start of a slot."""
        day, half = self.slot(slot)
        return datetime.combine(day, _BEGINS[half], JST) + timedelta(minutes=minute)
