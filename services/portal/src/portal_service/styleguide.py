"""画面部品の見本: every part of a screen once, with its edge cases (embedded mode only)."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from portal_service.api_client import FieldError, ServiceUnavailable
from portal_service.rendering import announce, render
from shared.auth import Role, require

pages = APIRouter(prefix="/styleguide", dependencies=[require(Role.OPERATOR)])

COLUMNS = (
    {"label": "最終回年月日", "sort": "due_on"},
    {"label": "結果入力期限"},
    {"label": "ご契約者名"},
    {"label": "車種・登録番号"},
    {"label": "スタッフコード", "sort": "staff_code"},
    {"label": "月々のお支払", "figures": True},
    {"label": "契約番号"},
)
COLOURS = (
    ("grey", "2025-07-14", "2025-05-14", "最終回 2025/07/14 を過ぎています"),
    ("green", "2025-12-31", "2025-10-31", "2025/07/01 に西店から移りました"),
    ("blue", "2025-12-20", "2025-10-20", "車両全損のためTFCが対応しています"),
    ("red", "2025-09-14", "2025-07-14", "最終回 2025/09/14、期限 2025/07/14 を過ぎています"),
    ("yellow", "2025-11-14", "2025-09-14", "最終回 2025/11/14、期限 2025/09/14"),
    ("white", "2026-03-31", "2026-01-31", ""),
)
NAMES = (
    "山本 太郎",
    "伊藤 花子",
    "渡辺 一郎",
    "中村 さくら",
    "小林 健",
    "株式会社はやぶさ運輸 東京第二営業所",
)
STEPS = (
    {
        "label": "起票",
        "state": "done",
        "who": "山田 太郎",
        "at": datetime(2025, 7, 10, 1, 5, tzinfo=UTC),
    },
    {"label": "店長承認", "state": "now", "who": "佐藤 和子", "at": None},
    {"label": "本部承認", "state": "todo", "who": None, "at": None},
    {"label": "TFC受付", "state": "todo", "who": None, "at": None},
)
HISTORY = (
    {
        "at": datetime(2025, 7, 11, 0, 30, tzinfo=UTC),
        "who": "佐藤 和子",
        "what": "差し戻しました",
        "note": "返却日が契約書と違います。ご確認ください。",
    },
    {
        "at": datetime(2025, 7, 11, 4, 12, tzinfo=UTC),
        "who": "鈴木 次郎",
        "on_behalf_of": "山田 太郎",
        "what": "訂正して、もう一度依頼しました",
        "changes": [("返却日", "2025/07/01(火)", "2025/07/03(木)"), ("走行距離", None, "48,200km")],
    },
)


@pages.get("")
async def show_styleguide(request: Request, sort: str = "due_on") -> Response:
    """The page of parts."""
    errors = (
        FieldError("returned_on", "返却日は今日以前の日付を入力してください。"),
        FieldError("reason", "未返却の理由を選んでください。"),
    )
    values = {
        "returned_on": "2025/8/1",
        "memo": "入力した内容は残ります",
        "outcome": "not_returned",
    }
    return await render(
        request, "styleguide.html", values=values, errors=errors, sort=sort, **_samples()
    )


@pages.post("")
async def send_styleguide(request: Request) -> Response:
    """What follows a sent form: a message on the next page."""
    response = RedirectResponse("/styleguide", 303)
    announce(
        request,
        response,
        "承認を依頼しました。次は佐藤 和子さんの確認です。依頼のメールを送りました。",
    )
    return response


def _samples() -> dict[str, Any]:
    rows = [
        {
            "id": f"{number:07}",
            "name": name,
            "colour": colour,
            "colour_reason": reason,
            "due_on": due_on,
            "deadline_on": deadline_on,
            "car": "プリウス 品川 300 あ 12-34",
            "staff_code": f"E{100 + number}",
            "monthly_yen": 12_345 * number,
        }
        for number, ((colour, due_on, deadline_on, reason), name) in enumerate(
            zip(COLOURS, NAMES, strict=True), start=1
        )
    ]
    stores = [(f"S{number}", f"第{number}店") for number in range(10, 30)]
    return {
        "columns": COLUMNS,
        "rows": rows,
        "steps_of_sample": STEPS,
        "history": HISTORY,
        "stores": stores,
        "lost": ServiceUnavailable("notifier", "sample"),
        "open_action": {"label": "承認を依頼する", "enabled": True, "reason": ""},
        "closed_action": {
            "label": "取下げ",
            "enabled": False,
            "reason": "本部が承認したあとは取り下げられません。",
        },
    }
