"""What does a table charge for a distance on a day, in a medium (F11, F15, F20)?

Also which of JR's tables stands for another, surcharged sections, and the ticket where no IC fare
is recorded.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from fare_engine.data_tables import Surcharge, TariffBand, TariffTable
from fare_engine.fares.fare_with_source import (
    MAY_BE_SURCHARGED,
    TICKET_FOR_IC,
    UNCONFIRMED,
    Fare,
    TariffRef,
)
from fare_engine.fares.tariff_distances import Distance
from fare_engine.network.network import JOINT_FARES
from fare_engine.rules.fare_rounding import Medium, Rounding, child_fare, fare_for_medium
from fare_engine.rules.jr_fare_basis import Basis, fare_basis

# JR's tables beside the one of its trunk lines (rules/jr_fare_basis.py).
TRUNK_TABLE, LOCAL_TABLE, JOINT_ADDITION = "幹線", "地方交通線", "加算額"


@dataclass(frozen=True)
class TableFares:
    """The fare tables of one day and medium, by distance."""

    bands: Mapping[TariffTable, Sequence[TariffBand]]
    surcharges: Sequence[Surcharge]
    on: date
    medium: Medium
    child: bool

    def by_distance(self, table: TariffTable, distance: Distance | None) -> Fare | None:
        """The fare of a distance by a table, or by the one that JR puts in its place."""
        if distance is None or distance.km10 == 0:  # two names of one station have no fare
            return None
        basis = fare_basis(
            km10=distance.km10,
            local_km10=distance.local_km10,
            guest_km10=distance.guest_km10,
        )
        if basis is Basis.OWN_TABLE:
            return self._band_fare(table, distance.charged_km10, distance)
        if basis is Basis.LOCAL_TABLE:
            local = self._table(table.operator, LOCAL_TABLE)
            return self._band_fare(local, distance.km10, distance)
        guest = self._table(_guest_of(table.operator), TRUNK_TABLE)
        if basis is Basis.GUEST_TABLE:
            return self._band_fare(guest, distance.charged_km10, distance)
        return self._joint_fare(table.operator, guest, distance)

    @cached_property
    def _on_day(self) -> Mapping[tuple[str, str], TariffTable]:
        """The tables of the day by operator and name."""
        return {
            (table.operator, table.table): table
            for table in self.bands
            if is_valid(table.valid_from, table.valid_to, self.on)
        }

    @cached_property
    def _tickets(self) -> "TableFares":
        """The same tables, charged by ticket."""
        return replace(self, medium=Medium.TICKET)

    def _table(self, operator: str, name: str) -> TariffTable | None:
        return self._on_day.get((operator, name))

    def _joint_fare(
        self, operator: str, base: TariffTable | None, distance: Distance
    ) -> Fare | None:
        """The second company's ticket for the whole way, and what the first adds for its part."""
        charged = distance.charged_km10
        through = self._band(base, charged)
        adds = self._table(operator, JOINT_ADDITION)
        added = self._band(adds, charged - distance.guest_km10)
        if base is None or through is None or (adds is not None and added is None):
            return None
        extra = (added.ticket_yen or 0) if added else 0
        yen = self._tickets.in_medium(through.ic_yen, base, extra, ticket_yen=through.ticket_yen)
        days = base.valid_from, base.valid_to
        ref = TariffRef(operator, base.table, *days, "joint", charged, through.km_up_to, extra)
        return Fare(yen, ref, (TICKET_FOR_IC,) if self.medium is Medium.IC else ())

    def _band(self, table: TariffTable | None, km10: int) -> TariffBand | None:
        bands = self.bands[table] if table else []
        at = bisect_left(bands, km10, key=lambda band: band.km_up_to * 10)  # bands only rise
        return bands[at] if at < len(bands) else None

    def _band_fare(self, table: TariffTable | None, km10: int, distance: Distance) -> Fare | None:
        band = self._band(table, km10)
        if table is None or band is None:
            return None
        surcharge, notices = self._surcharge(distance)
        yen = self.in_medium(band.ic_yen, table, surcharge, ticket_yen=band.ticket_yen)
        days = table.valid_from, table.valid_to
        ref = TariffRef(table.operator, table.table, *days, "band", km10, band.km_up_to, surcharge)
        return Fare(yen, ref, (*self.notices(table, band.ic_yen), *notices))

    def notices(self, table: TariffTable, ic_yen: int | None) -> tuple[str, ...]:
        """Codes for a ticket in the place of an IC fare, and for a fare that is not confirmed."""
        by_ticket = self.medium is Medium.IC and ic_yen is None
        medium = Medium.TICKET if by_ticket else self.medium
        doubtful = table.unconfirmed in ("both", str(medium))
        return (TICKET_FOR_IC,) * by_ticket + (UNCONFIRMED,) * doubtful

    def _surcharge(self, distance: Distance) -> tuple[int, tuple[str, ...]]:
        rows = [
            row
            for index, km10 in distance.sections
            if (row := self._step(self.surcharges[index], km10)) is not None
        ]
        notices = (MAY_BE_SURCHARGED,) if any(row.ic_yen is None for row in rows) else ()
        return sum(row.ic_yen or 0 for row in rows), notices

    def _step(self, section: Surcharge, km10: int) -> Surcharge | None:
        """The row of a surcharged section for the tenths of a km ridden on it."""
        where = (section.operator, section.line, section.station_a, section.station_b)
        for row in self.surcharges:
            if (row.operator, row.line, row.station_a, row.station_b) == where and (
                row.valid_from <= self.on and (row.km_up_to is None or km10 <= row.km_up_to * 10)
            ):
                return row
        return None

    def in_medium(
        self,
        ic_yen: int | None,
        table: TariffTable,
        surcharge: int = 0,
        *,
        ticket_yen: int | None = None,
    ) -> int:
        """An adult fare as this book charges it: by ticket, for a child.

        A recorded ticket goes before the rounded IC fare, and stands for an IC fare not recorded.
        """
        medium = Medium.TICKET if ic_yen is None else self.medium
        if medium is Medium.TICKET and ticket_yen is not None:
            adult = ticket_yen + surcharge
        else:
            rounding = Rounding(table.ticket_rounding)
            adult = fare_for_medium(ic_yen or 0, medium, rounding) + surcharge
        if not self.child:
            return adult
        return child_fare(adult, medium, Rounding(table.child_ticket_rounding))


def is_valid(valid_from: date, valid_to: date | None, on: date) -> bool:
    """Whether a dated row holds on a day."""
    return valid_from <= on <= (valid_to or date.max)


def _guest_of(operator: str) -> str:
    return next(guest for guest, host in JOINT_FARES.items() if host == operator)
