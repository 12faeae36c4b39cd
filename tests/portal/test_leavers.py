"""Leavers in the portal: signed out at the next page, their work handed on by headquarters (C4)."""

import pytest

from contracts_service.app import SERVICE as CONTRACTS
from event_contracts import dealer
from shared.db import EVERY_DEALER
from shared.testing.people import TANAKA, YAMADA
from shared.trace_context import new_id
from shared.worker import Delivery

from .portal_stack import PortalStack
from .test_return_journey import report


async def employ(portal_stack: PortalStack, *, active: bool) -> None:
    """The dealer's system reports that 山田 leaves or comes back."""
    event = dealer.StaffMasterUpdated(
        dealer_id="D01", staff_code="E101", name="山田 太郎", store_code="S10", role="sales",
        active=active,
    )  # fmt: skip
    now = portal_stack.clock.now()
    async with portal_stack.contracts.transaction(EVERY_DEALER) as tx:
        handle = CONTRACTS.subscribers.handlers[event.wire_type]
        await handle(event, Delivery(new_id(), 1, now, now, None), tx)
    await portal_stack.deliver_events()


@pytest.mark.rule("D156", "D157")
async def test_a_leaver_is_signed_out_and_headquarters_goes_on(portal_stack: PortalStack) -> None:
    async with (
        portal_stack.signed_in(YAMADA) as yamada,
        portal_stack.signed_in(TANAKA) as tanaka,
    ):
        application_id = await report(yamada)
        await employ(portal_stack, active=False)
        await yamada.visit(f"/returns/{application_id}")
        assert yamada.status == 403
        assert "ご利用いただけません" in yamada.text
        assert "山本" not in yamada.text  # neither the customer nor the menu
        assert "トップ" not in yamada.text
        await yamada.visit("/")
        assert "/auth/login" in yamada.path or yamada.status in {303, 403}
        await tanaka.visit("/")
        assert "退職者がいて進まない申込" in tanaka.text
        assert "担当者が退職したお客様" in tanaka.text
        await tanaka.visit("/returns?left=true")
        assert application_id in tanaka.text
        assert "起票者が退職" in tanaka.text
        await tanaka.visit(f"/returns/{application_id}")
        assert "新しい起票者に渡せます" in tanaka.text
        await tanaka.visit("/contracts?mode=general&staff_left=true")
        assert "C1001" in tanaka.text
        assert 'href="/transfers?staff_left=true"' in tanaka.html
        await tanaka.visit("/transfers?staff_left=true")
        assert "C1001" in tanaka.text
        await tanaka.visit("/contracts/C1001")
        assert "退職しています" in tanaka.text
    await employ(portal_stack, active=True)
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit(f"/returns/{application_id}")
        assert yamada.status == 200


@pytest.mark.rule("D156")
@pytest.mark.parametrize("path", ["/", "/help", "/contracts", "/returns", "/contracts/C1001"])
async def test_no_page_opens_for_a_leaver(portal_stack: PortalStack, path: str) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await employ(portal_stack, active=False)
        await yamada.visit(path)
        assert yamada.status == 403, yamada.text
        assert "退職または利用停止" in yamada.text
