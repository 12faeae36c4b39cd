"""Erasure screen (顧客情報の消去): an operator erases a customer after a confirmation."""

import re

from sqlalchemy import text

from shared.db import EVERY_DEALER
from shared.testing.people import OPERATOR, SATO, TANAKA

from .portal_stack import PortalStack

HERE = "/operation/erasures"
BECAUSE = "本人からの請求"
COMPLETE = text("""
    UPDATE contract SET completion_basis = 'return', completed_on = '2018-07-15'
    WHERE contract_no = 'C1004'
""")


async def test_a_customer_is_erased_after_a_confirmation(portal_stack: PortalStack) -> None:
    async with portal_stack.contracts.transaction(EVERY_DEALER) as tx:
        await tx.execute(COMPLETE)
    async with portal_stack.signed_in(OPERATOR) as operator:
        await operator.visit(HERE)
        await operator.visit(
            f"{HERE}?contract_no=C1004&reason={BECAUSE}"
        )  # as the list of due customers
        assert operator.form(HERE)["contract_no"] == ["C1004"]
        await operator.send(HERE)
        assert "元には戻せません。" in operator.text
        await operator.send(HERE, turned_back="yes")
        assert BECAUSE in operator.html
        await operator.send(HERE)
        await operator.send(HERE)
        assert "契約 C1004 の顧客情報を消去しました。" in operator.text
        assert f"C1004 D01 2025/07/15(火) 10:00 TFC-O001 {BECAUSE}" in operator.text
    async with portal_stack.signed_in(SATO) as sato:
        await sato.visit("/contracts/C1004")
        assert "消去済み" in sato.text


async def test_a_refused_erasure_shows_the_reason_and_keeps_the_input(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.signed_in(OPERATOR) as operator:
        await operator.visit(HERE)
        await operator.send(HERE, contract_no="C1001", reason="")
        assert "200文字以内で入力してください。" in operator.error_for("reason")
        assert "顧客情報を消去できません。" in operator.error_for("contract_no")
        await operator.send(HERE, contract_no="C1001", reason=BECAUSE)
        assert "顧客情報を消去できません。" in operator.error_for("contract_no")
        assert "元には戻せません。" not in operator.text.partition("消去する契約")[2]
        assert operator.form(HERE)["contract_no"] == ["C1001"]
        await operator.send(HERE, contract_no="C9999", reason=BECAUSE)
        assert "契約が見つかりません。" in operator.error_for("contract_no")
        assert operator.form(HERE)["reason"] == [BECAUSE]
        assert not {"C1001 D01", "C9999"} & set(re.findall(r"C\d{4} D01|C9999", operator.text))


async def test_other_roles_have_no_access(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(TANAKA) as tanaka:
        assert (await tanaka.visit(HERE)).status == 403
