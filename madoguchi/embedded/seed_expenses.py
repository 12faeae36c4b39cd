"""Seed data of travel expenses: commuter passes in every state, and slips in progress."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.actions.company import (
    Rights,
    SettingInput,
    save_rights,
    save_setting,
    upsert_visitor,
)
from commuter_service.actions.passes import PassContent, apply_for_pass, register_pass
from commuter_service.actions.slip_items import Decision, ItemInput
from commuter_service.actions.slips import SavedBy, SlipInput, create_slip, move_slip
from commuter_service.adapters.network_store import tariffs_in_force
from commuter_service.passes.employee_passes import Ride
from commuter_service.queries import employee_by_id, permission_of, setting_of
from commuter_service.request_context import RequestContext
from commuter_service.rules.slip_approval import SlipStep
from commuter_service.rules.slip_kind import SlipKind
from fare_engine.rules.bus_policy import BusPolicy
from fare_engine.rules.period import Period
from shared.auth import Principal, Role
from shared.clock import jst_day
from shared.db import Database

DEALER = "D01"
RIDER, NEWCOMER, CHIEF, HEAD, ACCOUNTANT = "E101", "E201", "M100", "H001", "A001"
HOME_TO_WORK = "三鷹:JR東日本/中央線:東京"
TO_A_CUSTOMER = "三鷹:JR東日本/中央線:東京:JR東日本/東海道線:品川"


async def seed_expenses(commuter: Database, people: Sequence[Principal], now: datetime) -> None:
    """Create settings, passes and slips of the first dealer, unless it has settings already."""
    known = {str(one.staff_code): one for one in people if one.dealer == DEALER}
    async with commuter.transaction(DEALER) as tx:
        if (await setting_of(tx, DEALER)).version:
            return
        for one in known.values():
            await upsert_visitor(tx, None, one, DEALER)
        await tx.flush()
        await _company(await _acting(tx, known[ACCOUNTANT], now))
        await _passes(tx, known, now)
        await _slips(tx, known, now)


async def _acting(tx: AsyncSession, who: Principal, now: datetime) -> RequestContext:
    return RequestContext(
        tx=tx,
        employee_id=who.person_id,
        name=who.name,
        dealer_id=DEALER,
        now=now,
        setting=await setting_of(tx, DEALER),
        tariffs=await tariffs_in_force(tx),
        permission=await permission_of(tx, DEALER, who.person_id),
        accounting=who.has(Role.EXPENSE_ADMIN),
    )


async def _company(acting: RequestContext) -> None:
    entered = SettingInput(
        applications_allowed=True,
        retention_days=90,
        admin_mail="admin@d01.example.jp",
        bus_policy=BusPolicy.RAIL_ONLY,
        warning_blocks=False,
        amount_change_allowed=True,
        approvers=(f"{DEALER}-{CHIEF}", f"{DEALER}-{HEAD}"),
    )
    await save_setting(acting, entered, 0)
    every = Rights(pass_master=True, edit_at_approval=True, edit_after_approval=True, mail=None)
    await save_rights(acting, acting.employee_id, every, 0)


async def _passes(tx: AsyncSession, known: dict[str, Principal], now: datetime) -> None:
    today = jst_day(now)
    accountant = await _acting(tx, known[ACCOUNTANT], now)
    for code, route, start, end in (
        (RIDER, HOME_TO_WORK, -150, None),
        (CHIEF, "横浜:JR東日本/東海道線:東京", -160, 20),
        (HEAD, "渋谷:東京メトロ/半蔵門線:大手町", None, None),
    ):
        holder = await employee_by_id(tx, DEALER, f"{DEALER}-{code}")
        period = Period(
            today + timedelta(days=start) if start is not None else None,
            today + timedelta(days=end) if end is not None else None,
        )
        await register_pass(accountant, holder, PassContent(route, period))
    newcomer = await _acting(tx, known[NEWCOMER], now)
    wish = PassContent("池袋:JR東日本/山手線:東京", Period(today - timedelta(days=10)))
    await apply_for_pass(newcomer, wish)


async def _slips(tx: AsyncSession, known: dict[str, Principal], now: datetime) -> None:
    today = jst_day(now)
    rider = await _acting(tx, known[RIDER], now)
    for title, days_ago, submitted in (("今週の交通費", 0, False), ("先週の交通費", 7, True)):
        items = _items(today - timedelta(days=days_ago))
        entered = SlipInput(title, "お客様訪問", None, None, items)
        slip = await create_slip(rider, SlipKind.TRANSPORT, entered, SavedBy.PERSON)
        if submitted:
            await move_slip(rider, slip.slip_id, slip.version, SlipStep.SUBMIT)


def _items(until: date) -> tuple[ItemInput, ...]:
    """Two rides and a receipt of the preceding days."""
    third, second = until - timedelta(days=3), until - timedelta(days=2)
    rides = tuple(
        ItemInput(
            item_on=on,
            purpose="お客様訪問",
            decision=Decision(Ride(on, route, round_trip=True)),
        )
        for on, route in ((third, TO_A_CUSTOMER), (second, HOME_TO_WORK))
    )
    parking = ItemInput(
        item_on=second, purpose="納車", words="駐車場", amount_yen=800, receipt=True
    )
    return (*rides, parking)
