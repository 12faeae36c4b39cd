"""Contract files of the manual's examples for the real contracts service: masters and contracts."""

import csv
import io
from dataclasses import dataclass

from contracts_service.rules.import_row import COLUMNS


@dataclass(frozen=True)
class StoreFact:
    code: str
    name: str
    phone: str
    unused: bool = False


@dataclass(frozen=True)
class PersonFact:
    code: str
    name: str
    role: str
    store_code: str | None
    name_kana: str = "カナ"
    mail: str = "person@example.jp"
    mobile: str = "090-0000-0001"


@dataclass(frozen=True)
class DealerFact:
    code: str
    name: str
    stores: tuple[StoreFact, ...]
    staff: tuple[PersonFact, ...]


@dataclass(frozen=True)
class VehicleFact:
    code: str
    name: str


@dataclass(frozen=True)
class Facts:
    dealers: tuple[DealerFact, ...]
    vehicles: tuple[VehicleFact, ...]


MASTERS = Facts(
    (
        DealerFact(
            "D01",
            "みなと自動車販売",
            (
                StoreFact("S10", "本店", "03-0010-1000"),
                StoreFact("S20", "西店", "03-0010-2000"),
                StoreFact("S90", "(旧東店)", "03-0010-9000", unused=True),
            ),
            (
                PersonFact("E101", "山田 太郎", "sales", "S10"),
                PersonFact("E102", "伊藤 翔", "sales", "S10"),
                PersonFact("M100", "佐藤 誠", "manager", "S10"),
                PersonFact("E201", "鈴木 花子", "sales", "S20"),
                PersonFact("H001", "田中 裕子", "hq", None),
            ),
        ),
    ),
    (VehicleFact("PRIUS", "プリウス"), VehicleFact("AQUA", "アクア")),
)

LINE = {
    "販売店コード": "D01",
    "制度": "スマートバリュープランR（アール）",
    "最終回支払額": "1000000",
    "残高": "1500000",
    "分割回数": "60",
    "月額": "30000",
    "年率": "3.9",
    "車種コード": "PRIUS",
    "車種": "プリウス",
    "登録番号": "品川 300 あ 1234",
    "初度登録年月日": "2020/12/10",
    "商用車": "0",
    "契約者名": "山本 太郎",
    "契約者名カナ": "ヤマモト タロウ",
    "郵便番号": "150-0002",
    "住所": "東京都渋谷区渋谷1丁目2番3号",
    "電話番号": "090-0123-4567",
    "店舗コード": "S10",
    "スタッフコード": "E101",
    "債権買取": "0",
    "TFC対応": "0",
    "届出変更中": "0",
}
# The last days in the specification's colour examples, as of 2025-07-15.
LAST_DAYS = (
    ("C1001", "2025/09/14"),
    ("C1002", "2025/09/15"),
    ("C1003", "2025/07/14"),
    ("C1004", "2025/12/31"),
    ("C1005", "2026/04/15"),
    ("C1006", "2025/08/14"),
)


def contract_file() -> bytes:
    """The contracts file of the finance company."""
    written = io.StringIO()
    writer = csv.DictWriter(written, list(COLUMNS))
    writer.writeheader()
    for number, last_day in LAST_DAYS:
        product = {"C1004": "スマートバリュープランA（エース）"}.get(number)
        line = {"契約番号": number, "最終回年月日": last_day}
        writer.writerow(LINE | line | ({"制度": product} if product else {}))
    return written.getvalue().encode("utf-8-sig")
