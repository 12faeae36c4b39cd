"""Are the fare tables sound: bands rise, no day has two editions of one table?"""

from collections import defaultdict
from datetime import date
from itertools import pairwise

from fare_engine.data_tables import FareTables, TariffBand, TariffTable


class FareTableBroken(ValueError):
    """A delivered table contradicts itself; nothing is loaded."""


def check_fare_tables(tables: FareTables) -> None:
    """Raise FareTableBroken at the first contradiction."""
    editions: dict[tuple[str, str], list[TariffTable]] = defaultdict(list)
    bands: dict[tuple[str, str, date], list[TariffBand]] = defaultdict(list)
    for table in tables.tariff_tables:
        editions[table.operator, table.table].append(table)
    for band in tables.tariff_bands:
        bands[band.operator, band.table, band.valid_from].append(band)
    for title, dated in editions.items():
        dated.sort(key=lambda table: table.valid_from)
        for before, after in pairwise(dated):
            if before.valid_to is None or before.valid_to >= after.valid_from:
                raise FareTableBroken(f"{title}: two editions on {after.valid_from}")
        for table in dated:
            if table.valid_to is not None and table.valid_to < table.valid_from:
                raise FareTableBroken(f"{title}: ends before it starts")
            rows = bands.pop((*title, table.valid_from), [])
            if rows or not _has_pairs(table, tables):
                _check_bands(title, rows)
    if bands:
        raise FareTableBroken(f"bands without a table: {min(bands)}")


def _has_pairs(table: TariffTable, tables: FareTables) -> bool:
    """Whether fares between two stations stand in the place of bands, as in an imported feed."""
    owners = table.operator, f"{table.operator}/{table.table}"
    return any(
        row.operator in owners and row.valid_from == table.valid_from
        for row in tables.special_fares
    )


def _check_bands(title: tuple[str, str], bands: list[TariffBand]) -> None:
    if not bands:
        raise FareTableBroken(f"{title}: no bands")
    if any(band.ic_yen is None and band.ticket_yen is None for band in bands):
        raise FareTableBroken(f"{title}: a band without a fare")
    for before, after in pairwise(bands):
        if after.km_up_to <= before.km_up_to or not _rises(before, after):
            raise FareTableBroken(f"{title}: the band up to {after.km_up_to} km does not rise")


def _rises(before: TariffBand, after: TariffBand) -> bool:
    pairs = ((before.ic_yen, after.ic_yen), (before.ticket_yen, after.ticket_yen))
    return all(low is None or high is None or low < high for low, high in pairs)
