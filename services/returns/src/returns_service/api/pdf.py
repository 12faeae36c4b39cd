"""入力内容印刷: what was sent, as it is stored (D97)."""

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter, Response

from returns_service.api import schemas
from returns_service.api.dependencies import Ctx, dealers
from returns_service.api.request_bodies import Code
from returns_service.api.return_detail import opened
from returns_service.prints import entry_pdf
from returns_service.rules.return_refusals import ReturnNotVisible
from shared.clock import JST
from shared.refusals import refuses

router = APIRouter()
Lines = Mapping[str, Mapping[str, str]]


@router.get(
    "/applications/{application_id}/print.pdf",
    dependencies=[dealers],
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
@refuses(ReturnNotVisible)
async def print_entry(application_id: Code, ctx: Ctx) -> Response:
    """The entry of an application as PDF."""
    answer = await opened(ctx, application_id)
    notes = [notice.label for notice in answer.notices]
    pdf = await asyncio.to_thread(
        entry_pdf, sections_of(answer), title="車両返却　入力内容", notes=notes
    )
    name = {"content-disposition": f'inline; filename="{application_id}.pdf"'}
    return Response(pdf, media_type="application/pdf", headers=name)


def sections_of(answer: schemas.ApplicationAnswer) -> Lines:
    """What the page shows, section by section."""
    entry, contract = answer.entry, answer.contract
    wanted = "希望する" if entry.completion_mail else "希望しない"
    result = {"車両返却結果": entry.kind.label}
    if entry.received_on:
        result["車両返却受領日"] = entry.received_on.strftime("%Y年%m月%d日")
    if entry.unreturned_reason:
        result["未返却理由"] = entry.unreturned_reason.label
    return {
        "申込": {
            "受付番号": answer.application_id,
            "ステータス": answer.status.label,
            "送信日時": answer.submitted_at.astimezone(JST).strftime("%Y年%m月%d日 %H:%M"),
        },
        "① 貴社情報": {
            "店舗": f"{answer.dealer.store.code} {answer.dealer.store.label}",
            "起票者": f"{answer.dealer.role.label} {answer.dealer.person_name}",
            "連絡先1": entry.contact_1 or "",
            "連絡先2": entry.contact_2 or "",
            "連絡先3": entry.contact_3 or "",
            "手続完了メール": wanted,
        },
        "② 契約者情報": {
            "契約番号": answer.contract_no,
            "ご契約者名": answer.customer_name,
            "制度": contract.product.label if contract else "",
            "最終回年月日": contract.final_on.strftime("%Y年%m月%d日") if contract else "",
            "車種・登録番号": f"{contract.vehicle_model}　{contract.registration_no}"
            if contract
            else "",
        },
        "③ 車両返却情報": result,
    }
