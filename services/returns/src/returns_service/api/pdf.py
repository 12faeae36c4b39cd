"""入力内容印刷: what was sent, as it is stored (D97)."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from urllib.parse import quote

from fastapi import APIRouter, Response

from returns_service.api import schemas
from returns_service.api.dependencies import Ctx, dealers
from returns_service.api.request_bodies import Code
from returns_service.api.return_detail import opened
from returns_service.prints import Printed, entry_pdf
from returns_service.rules.return_refusals import ReturnNotVisible
from shared.clock import JST
from shared.refusals import refuses

router = APIRouter()
Lines = Mapping[str, Mapping[str, str]]
WEEKDAYS = "月火水木金土日"


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
    printed = Printed(
        title="車両返却　入力内容",
        dealer=_place(answer.dealer),
        contract_no=answer.contract_no,
        printed_at=_moment(ctx.now),
        sections=sections_of(answer),
        notes=[notice.label for notice in answer.notices],
    )
    pdf = await asyncio.to_thread(entry_pdf, printed)
    japanese = quote(f"車両返却_{answer.contract_no}.pdf")
    name = f"inline; filename=\"{application_id}.pdf\"; filename*=UTF-8''{japanese}"
    headers = {"content-disposition": name}
    return Response(pdf, media_type="application/pdf", headers=headers)


def _place(dealer: schemas.DealerAnswer) -> str:
    return f"{dealer.dealer_name or dealer.dealer_id}　{dealer.store.label}"


def _day(on: date) -> str:
    """2026年11月29日(日)."""
    return f"{on.year}年{on.month}月{on.day}日({WEEKDAYS[on.weekday()]})"


def _moment(at: datetime) -> str:
    local = at.astimezone(JST)
    return f"{_day(local.date())} {local:%H:%M}"


def sections_of(answer: schemas.ApplicationAnswer) -> Lines:
    """What the page shows, section by section."""
    entry, contract = answer.entry, answer.contract
    wanted = "希望する" if entry.completion_mail else "希望しない"
    result = {"車両返却結果": entry.kind.label}
    if entry.received_on:
        result["車両返却受領日"] = _day(entry.received_on)
    if entry.unreturned_reason:
        result["未返却理由"] = entry.unreturned_reason.label
    return {
        "申込": {
            "受付番号": answer.application_id,
            "ステータス": answer.status.label,
            "送信日時": _moment(answer.submitted_at),
        },
        "① 貴社情報": {
            "販売店": answer.dealer.dealer_name or answer.dealer.dealer_id,
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
            "最終回年月日": _day(contract.final_on) if contract else "",
            "車種・登録番号": f"{contract.vehicle_model}　{contract.registration_no}"
            if contract
            else "",
        },
        "③ 車両返却情報": result,
        "申込の流れ": _route(answer),
    }


def _route(answer: schemas.ApplicationAnswer) -> dict[str, str]:
    """Each station with who acted there and when; 手続中 where the application lies now."""
    stations = {}
    for station in answer.route:
        lines = []
        if station.holder == "originator":
            lines.append(f"{answer.dealer.person_name}　{_moment(answer.submitted_at)} 送信")
        if station.approved_by and station.approved_at:
            lines.append(f"{station.approved_by}　{_moment(station.approved_at)} 承認")
        if station.present:
            lines.append("手続中")
        stations[station.label] = "、".join(lines)
    return stations
