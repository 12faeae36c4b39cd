"""進捗一覧: names, tabs, groups, colours, who acts, counts, search."""

from datetime import UTC, date, datetime

import pytest

from returns_service.rules.approval_route import Route
from returns_service.rules.progress_list import (
    ProgressSearch,
    SearchPeriodReversed,
    count,
    guidance_for,
    reception_key,
    updated_between,
    waits_for,
)
from returns_service.rules.return_approval import ReturnFacts
from returns_service.rules.return_status import Group, Status, Tab
from returns_service.rules.return_visibility import Actor, sees_return
from shared.roles import Role

from .actors import BOTH, COLLEAGUE, SATO, SUZUKI, TAKAHASHI, TANAKA, TFC, YAMADA

STATUSES = """
STAFF_REMANDED 担当者手続中（差戻）         現在申込中一覧 貴社手続中（差戻） red    営業スタッフ
STORE_PENDING  店舗承認者手続中            現在申込中一覧 貴社手続中        yellow 店長
STORE_REMANDED 店舗承認者手続中（差戻）      現在申込中一覧 貴社手続中（差戻） red    店長
HQ_PENDING     本部承認者手続中            現在申込中一覧 貴社手続中        yellow 本部担当者
HQ_REMANDED    本部承認者手続中（差戻）      現在申込中一覧 貴社手続中（差戻） red    本部担当者
REQUESTED      依頼中                     現在申込中一覧 依頼中           none   -
TFC_PROCESSING TFC対応中（取下げ・訂正NG）   現在申込中一覧 TFC対応中        none   -
TFC_HOLD       TFC対応保留                現在申込中一覧 TFC対応中        none   -
TFC_CONTACT    TFC連絡事項入力中           現在申込中一覧 TFC対応中        none   -
COMPLETED      完了                       過去申込一覧   完了             none   -
WITHDRAWN      取下げ                     過去申込一覧   取下げ           none   -
"""


@pytest.mark.rule("D103", "D104", "D107", "D108", "D109")
def test_the_eleven_statuses_as_the_dealer_sees_them() -> None:
    shown = [
        [
            status.value,
            status.label_ja,
            status.group.tab.value,
            status.group.label_ja,
            status.colour.value,
            status.acts.label_ja if status.acts else "-",
        ]
        for status in Status
    ]
    assert shown == [line.split() for line in STATUSES.strip().splitlines()]


@pytest.mark.rule("D105")
@pytest.mark.parametrize(
    ("group", "guidance"),
    [
        ("貴社手続中", "状況をご確認の上、承認・差戻・取下げ等のご対応をお願いいたします"),
        ("貴社手続中（差戻）", "状況をご確認の上、承認・差戻・取下げ等のご対応をお願いいたします"),
        ("依頼中", "トヨタファイナンスでの手続をお待ちください"),
        ("TFC対応中", "トヨタファイナンスでの手続をお待ちください"),
        ("完了", "－"),
        ("取下げ", "－"),
    ],
)
def test_guidance(group: str, guidance: str) -> None:
    assert {g.guidance for g in Group if g.label_ja == group} == {guidance}


@pytest.mark.rule("D103")
def test_the_past_holds_completed_and_withdrawn_only() -> None:
    past = {status for status in Status if status.group.tab is Tab.PAST}
    assert past == {Status.COMPLETED, Status.WITHDRAWN}


@pytest.mark.rule("D108")
@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        (Role.SALES, ["担当者手続中（差戻）"]),
        (Role.MANAGER, ["店舗承認者手続中", "店舗承認者手続中（差戻）"]),
        (Role.HQ, ["本部承認者手続中", "本部承認者手続中（差戻）"]),
        (Role.TFC, []),
    ],
)
def test_work_list_of_a_role(role: Role, statuses: list[str]) -> None:
    assert [status.label_ja for status in Status if status.acts is role] == statuses


SATO2 = Actor("M101", Role.MANAGER, "D01", "S10")
TANAKA_D02 = Actor("H001", Role.HQ, "D02")
SUBSTITUTE = Actor("E102", Role.MANAGER, "D01", "S10", acting_for="M100")
PEOPLE = {
    "山田": YAMADA, "同僚": COLLEAGUE, "佐藤": SATO, "店長2": SATO2, "高橋": TAKAHASHI,
    "鈴木": SUZUKI, "田中": TANAKA, "他社": TANAKA_D02, "TFC": TFC, "代理": SUBSTITUTE,
}  # fmt: skip


@pytest.mark.rule("D108")
@pytest.mark.parametrize(
    ("status", "originator", "waits"),
    [
        (Status.STAFF_REMANDED, YAMADA, "山田"),
        (Status.STORE_PENDING, YAMADA, "佐藤 店長2 代理"),
        (Status.STORE_REMANDED, YAMADA, "佐藤 店長2 代理"),
        (Status.STORE_REMANDED, SATO, "佐藤"),
        (Status.HQ_PENDING, SATO, "田中"),
        (Status.HQ_REMANDED, TANAKA, "田中"),
        (Status.REQUESTED, YAMADA, ""),
        (Status.TFC_HOLD, YAMADA, ""),
        (Status.COMPLETED, YAMADA, ""),
    ],
)
def test_own_work_list(status: Status, originator: Actor, waits: str) -> None:
    route = Route.of(BOTH, originator.role)
    facts = ReturnFacts(
        "D01", "S10", originator.user_id, status, route, was_requested=True, version=1
    )
    assert [name for name, actor in PEOPLE.items() if waits_for(facts, actor)] == waits.split()


@pytest.mark.rule("D1", "D2")
@pytest.mark.parametrize(
    ("requested", "sees"),
    [(True, "山田 同僚 佐藤 店長2 田中 TFC 代理"), (False, "山田 同僚 佐藤 店長2 田中 代理")],
)
def test_who_sees_an_application_of_s10(requested: bool, sees: str) -> None:
    def visible(actor: Actor) -> bool:
        return sees_return(actor, dealer_code="D01", store_code="S10", was_requested=requested)

    assert [name for name, actor in PEOPLE.items() if visible(actor)] == sees.split()


@pytest.mark.rule("D104", "D106")
def test_counts_per_group_and_status() -> None:
    counts = count([Status.STORE_PENDING] * 2 + [Status.HQ_PENDING, Status.REQUESTED])
    assert counts.groups == {
        Group.DEALER_IN_PROGRESS: 3,
        Group.DEALER_REMANDED: 0,
        Group.REQUESTED: 1,
        Group.TFC_IN_PROGRESS: 0,
        Group.COMPLETED: 0,
        Group.WITHDRAWN: 0,
    }
    assert counts.statuses[Status.STORE_PENDING] == 2
    assert set(counts.statuses) == set(Status)


@pytest.mark.rule("D98")
def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    day = date(2025, 7, 15)
    bounds = updated_between(ProgressSearch(updated_from_on=day, updated_to_on=day))
    assert bounds == (datetime(2025, 7, 14, 15, tzinfo=UTC), datetime(2025, 7, 15, 15, tzinfo=UTC))
    assert updated_between(ProgressSearch()) == (None, None)
    with pytest.raises(SearchPeriodReversed):
        updated_between(ProgressSearch(updated_from_on=day, updated_to_on=date(2025, 7, 14)))


@pytest.mark.rule("D98")
@pytest.mark.parametrize(
    "typed", ["RA-00000012", "ra-12", "ＲＡ－００００００１２", "RAー12", " 12 ", "00000012"]
)
def test_reception_numbers_are_found_as_typed(typed: str) -> None:
    assert reception_key(typed) == "RA-00000012"


@pytest.mark.rule("D98")
@pytest.mark.parametrize("typed", ["RB-12", "RA-", "123456789"])
def test_what_is_no_reception_number_stays_as_typed(typed: str) -> None:
    assert reception_key(typed) == typed


@pytest.mark.rule("D105", "D108")
@pytest.mark.parametrize(
    ("status", "who", "guidance"),
    [
        (
            "STAFF_REMANDED", YAMADA,
            "差戻しの理由をご確認のうえ、訂正または取下げをお願いいたします",
        ),
        ("STORE_PENDING", YAMADA, "店舗承認者の手続をお待ちください"),
        ("STORE_PENDING", SATO, "内容をご確認のうえ、承認または差戻しをお願いいたします"),
        ("STORE_REMANDED", SATO, "内容をご確認のうえ、承認または差戻しをお願いいたします"),
        ("STAFF_REMANDED", SATO, "起票者の手続をお待ちください"),
        ("HQ_PENDING", SATO, "本部承認者の手続をお待ちください"),
        ("TFC_HOLD", YAMADA, "トヨタファイナンスでの手続をお待ちください"),
    ],
)  # fmt: skip
def test_the_guidance_of_an_opened_application_suits_its_reader(
    status: str, who: Actor, guidance: str
) -> None:
    facts = ReturnFacts(
        dealer_code="D01",
        store_code="S10",
        originator_id=YAMADA.user_id,
        status=Status(status),
        route=Route.of(BOTH, Role.SALES),
        was_requested=False,
        version=1,
    )
    assert guidance_for(facts, [who]) == guidance
