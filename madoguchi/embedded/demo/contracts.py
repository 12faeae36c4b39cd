"""Demo contracts in the import format of the finance core, row by row.

The figures of a row are consistent: the balance is the present value of the remaining instalments
at the yearly rate, and the car was registered when the instalments began. The first
ROWS_OF_EVERY_KIND rows belong to the first dealer and cover every product as overdue, red, yellow,
white and handled by TFC; the rest are random.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar

from madoguchi.embedded.demo.masters import (
    PRODUCTS,
    VEHICLES,
    Dealer,
    Product,
    Vehicle,
    demo_masters,
)
from madoguchi.embedded.demo.names import FAMILY_NAMES, GIVEN_NAMES, Town

_COLUMNS = """
販売店コード 契約番号 制度 最終回年月日 リース満了年月日 最終回支払額 残高 分割回数 月額 年率
車種コード 車種 登録番号 初度登録年月日 商用車 契約者名 契約者名カナ 郵便番号 住所 電話番号
店舗コード スタッフコード 債権買取 TFC対応 届出変更中
"""
COLUMNS = tuple(_COLUMNS.split())
Row = tuple[str, ...]

# Days from today to the last instalment: overdue, red, yellow, white, and white handled by TFC. The
# middle of each window has its colour regardless of the lengths of the months.
_SURE_DAYS = (-30, 30, 90, 300, 200)
_TFC = len(_SURE_DAYS) - 1
ROWS_OF_EVERY_KIND = len(PRODUCTS) * len(_SURE_DAYS)
_WINDOWS = ((-90, -1),) + ((0, 60),) * 2 + ((61, 121),) * 3 + ((122, 1095),) * 14

_MONTH_DAYS = 365.25 / 12
_RESIDUAL = {36: 0.50, 48: 0.42, 60: 0.35}
_TERMS = tuple(_RESIDUAL)
_LONGEST_DAYS = 6 * 366
_RATES = ("1.9", "2.9", "3.9", "4.9", "5.9")
# By rate and months: the present value of one yen then, and of one yen a month until then.
_WORTH = {rate: [(1 + float(rate) / 1200) ** -n for n in range(61)] for rate in _RATES}
_ANNUITY = {rate: [sum(worth[1 : n + 1]) for n in range(61)] for rate, worth in _WORTH.items()}
_PLATE_KANA = "さすせそたちつてとなにぬねのはひふほまみむめもやゆよらりるろ"
_BY_SHARE = tuple(product for product in PRODUCTS for _ in range(product.share))
_TOYOTA = tuple(vehicle for vehicle in VEHICLES if not vehicle.lexus)
_LEXUS = tuple(vehicle for vehicle in VEHICLES if vehicle.lexus)

Chance = Callable[[], float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Place:
    """Dealer, store and staff of a contract; everything but the towns is a column."""

    dealer_code: str
    dealer_number: int
    store_code: str
    staff_code: str
    towns: tuple[Town, ...]


class _Lot(NamedTuple):
    """Inputs of a row: days until its last instalment; flags 債権買取, TFC対応, 届出変更中."""

    serial: int
    place: _Place
    product: Product
    until: int
    flags: tuple[str, str, str]


def demo_contracts(
    seed: int, count: int, today: date, dealers: Sequence[Dealer] | None = None
) -> Iterator[Row]:
    """Yield `count` rows in the order of COLUMNS, deterministic for the same arguments.

    Dates are written 2025/07/15, yen without separators, the yearly rate in per cent, flags 1 or 0.
    Without dealers those of demo_masters() are used.
    """
    chance = Random(seed).random  # noqa: S311  the same demo again, no secret
    places = [
        _places(number, one) for number, one in enumerate(dealers or demo_masters().dealers, 1)
    ]
    days = {
        offset: (today + timedelta(offset)).strftime("%Y/%m/%d")
        for offset in range(-_LONGEST_DAYS, _LONGEST_DAYS)
    }
    for serial in range(count):
        yield _row(_lot(serial, places, chance), days, chance)


def write_csv(path: Path, rows: Iterable[Row], encoding: str = "utf-8-sig") -> None:
    """Write the rows below their headers; every character also exists in cp932."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _lot(serial: int, places: list[list[_Place]], chance: Chance) -> _Lot:
    if serial < ROWS_OF_EVERY_KIND:
        number, kind = divmod(serial, len(_SURE_DAYS))
        flags = ("0", "1" if kind == _TFC else "0", "0")
        return _Lot(serial, _pick(places[0], chance), PRODUCTS[number], _SURE_DAYS[kind], flags)
    flags = (_flag(0.03, chance), _flag(0.02, chance), _flag(0.01, chance))
    place = _pick(_pick(places, chance), chance)
    return _Lot(serial, place, _pick(_BY_SHARE, chance), _until(chance), flags)


def _row(lot: _Lot, days: dict[int, str], chance: Chance) -> Row:
    serial, place, product, until, flags = lot
    vehicle = _pick(_LEXUS if product.lexus else _TOYOTA, chance)
    term = _pick(_TERMS, chance)
    town = _pick(place.towns, chance)
    # Registered in the four weeks before the month in which the instalments began.
    registered = days[until - round(term * _MONTH_DAYS) - int(chance() * 28)]
    lease = product.code == "LEASE"
    name, kana = _customer(vehicle, chance)
    return (
        place.dealer_code,
        f"{registered[2:4]}{place.dealer_number:03}{serial:07}",
        product.name,
        "" if lease else days[until],
        days[until] if lease else "",
        *_money(product, vehicle, term, until, chance),
        vehicle.code,
        vehicle.name,
        _registration_number(vehicle, town, chance),
        registered,
        "1" if vehicle.commercial else "0",
        name,
        kana,
        town.postal_code,
        _address(town, chance),
        f"090-0{int(chance() * 1000):03}-{int(chance() * 10000):04}",
        place.store_code,
        place.staff_code,
        *flags,
    )


def _money(
    product: Product, vehicle: Vehicle, term: int, until: int, chance: Chance
) -> tuple[str, str, str, str, str]:
    """Last instalment, balance, number of instalments, monthly amount, yearly rate."""
    left = min(term, -int(-until // _MONTH_DAYS)) if until > 0 else 0
    financed = vehicle.price_yen * (0.8 + 0.2 * chance())
    if product.code == "LEASE":
        monthly = _hundreds(financed * 0.8 / term)
        return "0", str(monthly * left), str(term), str(monthly), "0"
    rate = _pick(_RATES, chance)
    worth, annuity = _WORTH[rate], _ANNUITY[rate]
    if product.residual:
        last = _hundreds(vehicle.price_yen * _RESIDUAL[term])
        monthly = _hundreds((financed - last * worth[term]) / annuity[term - 1])
    else:
        last = monthly = _hundreds(financed / annuity[term])
    balance = monthly * annuity[left - 1] + last * worth[left] if left else last
    return str(last), str(round(balance)), str(term), str(monthly), rate


def _places(number: int, dealer: Dealer) -> list[_Place]:
    return [
        _Place(dealer.code, number, person.store_code, person.code, dealer.towns)
        for person in dealer.sales
        if person.store_code is not None
    ]


def _customer(vehicle: Vehicle, chance: Chance) -> tuple[str, str]:
    family, family_kana = _pick(FAMILY_NAMES, chance)
    if vehicle.commercial:
        return f"有限会社{family}商店", f"ユウゲンガイシャ{family_kana}ショウテン"
    given, given_kana = _pick(GIVEN_NAMES, chance)
    return f"{family} {given}", f"{family_kana} {given_kana}"


def _registration_number(vehicle: Vehicle, town: Town, chance: Chance) -> str:
    group = "400" if vehicle.commercial else _pick(("300", "330", "500", "530"), chance)
    return f"{town.plate} {group} {_pick(_PLATE_KANA, chance)} {1000 + int(chance() * 9000)}"


def _address(town: Town, chance: Chance) -> str:
    block, house = 1 + int(chance() * 20), 1 + int(chance() * 30)
    return f"{town.address}{1 + int(chance() * 4)}丁目{block}番{house}号"


def _until(chance: Chance) -> int:
    first, last = _pick(_WINDOWS, chance)
    return first + int(chance() * (last - first + 1))


def _pick(options: Sequence[T], chance: Chance) -> T:
    return options[int(chance() * len(options))]


def _flag(share: float, chance: Chance) -> str:
    return "1" if chance() < share else "0"


def _hundreds(yen: float) -> int:
    return round(yen / 100) * 100
