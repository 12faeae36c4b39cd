"""Demo masters: dealers with stores and staff, vehicles and finance products.

Dealer D01 has the stores and people of the specification's examples: 本店, 西店 and the unused
(旧東店); 山田, 佐藤, 鈴木, 高橋 and 田中. The other dealers are derived from their number.
"""

from dataclasses import dataclass

from contracts_service.master_facts import DealerFacts, PersonFacts, StoreFacts, VehicleFacts
from madoguchi.embedded.demo.names import FAMILY_NAMES, GIVEN_NAMES, TOWNS, Town
from shared.roles import Role


@dataclass(frozen=True, slots=True)
class Dealer(DealerFacts):
    """A dealer whose customers live in its towns."""

    towns: tuple[Town, ...]

    @property
    def sales(self) -> tuple[PersonFacts, ...]:
        """The staff to whom contracts are assigned."""
        return tuple(person for person in self.staff if person.role is Role.SALES)


@dataclass(frozen=True, slots=True)
class Vehicle(VehicleFacts):
    """A model of the vehicle master with a realistic price."""

    lexus: bool
    price_yen: int
    commercial: bool = False


@dataclass(frozen=True, slots=True)
class Product:
    """A finance product (制度): its share of contracts in per cent, and whether it has 残価."""

    code: str
    name: str
    share: int
    lexus: bool = False
    residual: bool = True


@dataclass(frozen=True, slots=True)
class Masters:
    """The master data that must exist before contracts are imported."""

    dealers: tuple[Dealer, ...]
    vehicles: tuple[Vehicle, ...]
    products: tuple[Product, ...]
    tfc_operator: PersonFacts


PRODUCTS = (
    Product("GAMMA", "ガンマファイナンス", 14),
    Product("MVP_A", "マックスバリュープランA（エース）", 8),
    Product("MVP_R", "マックスバリュープランR（アール）", 18),
    Product("DEFERRED_DEALER", "残額据置き払い（販売店保証）", 18),
    Product("DEFERRED_TFC", "残額据置き払い（TFC保証）", 10),
    Product("SVP_A", "スマートバリュープランA（エース）", 4, lexus=True),
    Product("SVP_R", "スマートバリュープランR（アール）", 6, lexus=True),
    Product("SVT_A", "スマートバリュートゥワイスA（エース）", 3, lexus=True),
    Product("SVT_R", "スマートバリュートゥワイスR（アール）", 4, lexus=True),
    Product("SVP_OPEN", "スマートバリュープラン（オープンエンド型）", 3, lexus=True),
    Product("SVT_OPEN", "スマートバリュートゥワイス（オープンエンド型）", 2, lexus=True),
    Product("LEASE", "リース", 7, residual=False),
    Product("OTHER", "その他", 3, residual=False),
)

# その他 is not in the vehicle master: the pages add it to the dropdown (D56).
VEHICLES = (
    Vehicle("PRIUS", "プリウス", lexus=False, price_yen=3_200_000),
    Vehicle("AQUA", "アクア", lexus=False, price_yen=2_300_000),
    Vehicle("YARIS", "ヤリス", lexus=False, price_yen=2_000_000),
    Vehicle("YARIS_CROSS", "ヤリス クロス", lexus=False, price_yen=2_500_000),
    Vehicle("COROLLA_TOURING", "カローラ ツーリング", lexus=False, price_yen=2_700_000),
    Vehicle("COROLLA_CROSS", "カローラ クロス", lexus=False, price_yen=2_900_000),
    Vehicle("RAIZE", "ライズ", lexus=False, price_yen=2_100_000),
    Vehicle("ROOMY", "ルーミー", lexus=False, price_yen=1_900_000),
    Vehicle("SIENTA", "シエンタ", lexus=False, price_yen=2_500_000),
    Vehicle("NOAH", "ノア", lexus=False, price_yen=3_300_000),
    Vehicle("VOXY", "ヴォクシー", lexus=False, price_yen=3_500_000),
    Vehicle("ALPHARD", "アルファード", lexus=False, price_yen=5_800_000),
    Vehicle("HARRIER", "ハリアー", lexus=False, price_yen=3_900_000),
    Vehicle("RAV4", "RAV4", lexus=False, price_yen=3_700_000),
    Vehicle("CROWN_SPORT", "クラウン スポーツ", lexus=False, price_yen=5_900_000),
    Vehicle("LAND_CRUISER_250", "ランドクルーザー250", lexus=False, price_yen=6_300_000),
    Vehicle("HIACE_VAN", "ハイエースバン", lexus=False, price_yen=3_100_000, commercial=True),
    Vehicle("PROBOX", "プロボックス", lexus=False, price_yen=1_800_000, commercial=True),
    Vehicle("LEXUS_UX", "レクサス UX", lexus=True, price_yen=4_900_000),
    Vehicle("LEXUS_NX", "レクサス NX", lexus=True, price_yen=5_800_000),
    Vehicle("LEXUS_RX", "レクサス RX", lexus=True, price_yen=7_200_000),
    Vehicle("LEXUS_IS", "レクサス IS", lexus=True, price_yen=5_600_000),
    Vehicle("LEXUS_ES", "レクサス ES", lexus=True, price_yen=6_600_000),
    Vehicle("LEXUS_LBX", "レクサス LBX", lexus=True, price_yen=4_600_000),
)

TFC_OPERATOR = PersonFacts(
    "T001", "渡辺 恵子", "ワタナベ ケイコ", Role.TFC, None, "t001@tfc.example.jp", "090-0900-0001"
)

_PLACES = (
    *("みなと", "さくら", "ひかり", "あおば", "わかば", "みらい"),
    *("すみれ", "つばさ", "やまと", "かえで", "はまかぜ", "ほくと"),
)
_KINDS = ("自動車販売", "モータース", "オートセンター", "カーライフ", "自販")
TEN_DIGITS = 10
"""Format of telephone numbers other than mobile ones."""
# Code, name, reading, role and store, as in the staff master.
_Facts = tuple[str, str, str, Role, str | None]


def demo_masters(dealers: int = 6) -> Masters:
    """Masters with this many dealers, D01 first; deterministic."""
    if dealers < 1:
        raise ValueError("the demo needs at least dealer D01")
    others = (_dealer(number) for number in range(2, dealers + 1))
    return Masters((_example_dealer(), *others), VEHICLES, PRODUCTS, TFC_OPERATOR)


def _example_dealer() -> Dealer:
    people: tuple[_Facts, ...] = (
        ("E101", "山田 太郎", "ヤマダ タロウ", Role.SALES, "S10"),
        ("M100", "佐藤 誠", "サトウ マコト", Role.MANAGER, "S10"),
        ("E201", "鈴木 花子", "スズキ ハナコ", Role.SALES, "S20"),
        ("M200", "高橋 健一", "タカハシ ケンイチ", Role.MANAGER, "S20"),
        ("H001", "田中 裕子", "タナカ ユウコ", Role.HQ, None),
    )
    return Dealer(
        "D01",
        "みなと自動車販売",
        (
            StoreFacts("S10", "本店", "03-0010-1000"),
            StoreFacts("S20", "西店", "03-0010-2000"),
            StoreFacts("S90", "(旧東店)", "03-0010-9000", unused=True),
        ),
        tuple(_person(1, n, facts) for n, facts in enumerate(people, start=1)),
        TOWNS[:5],
    )


def _dealer(number: int) -> Dealer:
    """Three stores, each with a manager and three sales staff, and two people at headquarters."""
    code = f"D{number:02}"
    home = TOWNS[number * 3 % len(TOWNS)]
    width = TEN_DIGITS - len(home.area_code) - 4 - 1
    middle = f"0{number % 10**width:0{width}}"
    stores = tuple(
        StoreFacts(f"S{n}0", name, f"{home.area_code}-{middle}-{n}000")
        for n, name in enumerate(("本店", "駅前店", "バイパス店"), start=1)
    )
    people: list[tuple[str, Role, str | None]] = []
    for n, store in enumerate(stores, start=1):
        people.append((f"M{n}00", Role.MANAGER, store.code))
        people += [(f"E{n}0{m}", Role.SALES, store.code) for m in (1, 2, 3)]
    people += [("H001", Role.HQ, None), ("H002", Role.HQ, None)]
    staff = tuple(
        _person(number, n, (staff_code, *_name(number, n), role, store_code))
        for n, (staff_code, role, store_code) in enumerate(people, start=1)
    )
    towns = tuple(TOWNS[(number * 3 + n) % len(TOWNS)] for n in range(3))
    return Dealer(code, _dealer_name(number), stores, staff, towns)


def _dealer_name(number: int) -> str:
    """A name of place and kind, with a counter after the first hundreds of dealers."""
    turn, place = divmod(number - 1, len(_PLACES))
    again, kind = divmod(turn, len(_KINDS))
    return (
        _PLACES[place] + _KINDS[(kind + place) % len(_KINDS)] + (f"第{again + 1}" if again else "")
    )


def _name(dealer: int, person: int) -> tuple[str, str]:
    family = FAMILY_NAMES[(dealer * 17 + person * 7) % len(FAMILY_NAMES)]
    given = GIVEN_NAMES[(dealer * 5 + person * 13) % len(GIVEN_NAMES)]
    return f"{family[0]} {given[0]}", f"{family[1]} {given[1]}"


def _person(dealer: int, number: int, facts: _Facts) -> PersonFacts:
    mail = f"{facts[0].lower()}@d{dealer:02}.example.jp"
    return PersonFacts(*facts, mail, f"090-0{dealer % 1000:03}-{number:04}")
