"""Contract files of the manual's examples for the real contracts service: masters and contracts."""

import csv
import io

from contracts_service.master_facts import DealerFacts, PersonFacts, StoreFacts, VehicleFacts
from contracts_service.rules.import_row import COLUMNS
from shared.roles import Role


def member(code: str, name: str, role: Role, store: str | None) -> PersonFacts:
    """A line of the staff master."""
    return PersonFacts(code, name, "カナ", role, store, "person@example.jp", "090-0000-0001")


DEALERS = (
    DealerFacts(
        "D01",
        "みなと自動車販売",
        (
            StoreFacts("S10", "本店", "03-0010-1000"),
            StoreFacts("S20", "西店", "03-0010-2000"),
            StoreFacts("S90", "(旧東店)", "03-0010-9000", unused=True),
        ),
        (
            member("E101", "山田 太郎", Role.SALES, "S10"),
            member("E102", "伊藤 翔", Role.SALES, "S10"),
            member("M100", "佐藤 誠", Role.MANAGER, "S10"),
            member("E201", "鈴木 花子", Role.SALES, "S20"),
            member("H001", "田中 裕子", Role.HQ, None),
        ),
    ),
)
VEHICLES = (VehicleFacts("PRIUS", "プリウス"), VehicleFacts("AQUA", "アクア"))

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
