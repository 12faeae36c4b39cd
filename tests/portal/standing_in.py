"""A contracts service at the outside edge: a few contracts of the manual's examples, in memory."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse

BUTTONS = (
    ("result_entry", "進捗・結果入力"),
    ("vehicle_return", "車両返却結果入力・進捗確認"),
    ("resplit", "再分割シミュレーション"),
    ("print_confirmation", "お支払方法確認書印刷"),
    ("change_assignment", "店舗・スタッフ変更"),
)
COLOURS = ("grey", "green", "blue", "red", "yellow", "white")


def contract(number: int) -> dict[str, Any]:
    colour = COLOURS[number % 6]
    return {
        "contract_no": f"C-{1000 + number}",
        "version": 3,
        "product": {"code": "SVP_R", "name": "スマートバリュープランR（アール）"},
        "final_on": f"2025-{7 + number % 6:02}-14",
        "final_on_label": "最終回年月日",
        "loan": {
            "last_instalment_yen": 1_234_500,
            "balance_yen": 1_310_000,
            "instalments": 60,
            "monthly_yen": 23_400,
            "yearly_rate_percent": "3.9",
        },
        "vehicle": {
            "model": "プリウス",
            "registration_no": "品川 300 あ 12-34",
            "first_registered_month": "2022-07",
            "inspection_month": "2025-07",
        },
        "customer": {
            "name": "山本　太郎",
            "name_kana": "ヤマモト タロウ",
            "postal_code": "150-0002",
            "address": "東京都渋谷区渋谷1-2-3",
            "phone": "03-0012-3456",
        },
        "store": {"code": "S10", "name": "本店"},
        "staff": {"code": "E101", "name": "山田 太郎"},
        "customer_change_pending": False,
        "result": {
            "selection": None,
            "selection_label": "",
            "own_replacement": None,
            "late": False,
            "completed": False,
            "completed_mark": "",
            "completed_on": None,
            "result_due_on": "2025-07-14",
            "change_limit_on": "2025-08-14",
        },
        "colour": {
            "colour": colour,
            "urgency": "red",
            "reason": "結果入力期限（2025年7月14日）を過ぎ、最終回対応が未完了です",
        },
        "open_return_id": None,
        "pending_change": None,
        "memo": {"text": "査定120万円", "version": 1, "saved_at": None, "editable": True},
        "actions": [
            {"button": button, "label": label, "enabled": button != "resplit", "reason": ""}
            | ({"reason": "最終回期日を過ぎています"} if button == "resplit" else {})
            for button, label in BUTTONS
        ],
    }


def row(number: int) -> dict[str, Any]:
    of = contract(number)
    return {
        "contract_no": of["contract_no"],
        "final_on": of["final_on"],
        "result_due_on": of["result"]["result_due_on"],
        "selection_label": "",
        "replacement_mark": "未",
        "completed_mark": "",
        "customer_name": of["customer"]["name"],
        "inspection_month": "2025-07",
        "model": "プリウス",
        "registration_no": of["vehicle"]["registration_no"],
        "staff_code": "E101",
        "store_name": "本店",
        "colour": of["colour"],
    }


def stand_in_contracts() -> FastAPI:  # noqa: C901 - one small route after the other
    app = FastAPI()
    api = APIRouter(prefix="/api/contracts/v1")
    memos: dict[str, dict[str, Any]] = {}

    @api.get("/contracts")
    async def search(request: Request) -> Any:
        if len(request.query_params) < 2:
            error = {"field": "mode", "message": "検索条件を入力してください"}
            return JSONResponse({"title": "", "errors": [error]}, 422)
        rows = [row(number) for number in range(1, 7)]
        return {
            "total": 250,
            "truncated": True,
            "advice": "100件をオーバーした場合は、検索条件を絞ってください",
            "csv_offered": True,
            "disclaimer": None,
            "rows": rows,
        }

    @api.get("/contracts/{contract_no}")
    async def show(contract_no: str) -> Any:
        if not contract_no.startswith("C-100"):
            return JSONResponse({"title": "見つかりません。", "code": "NOT_FOUND"}, 404)
        found = contract(int(contract_no[2:]) - 1000)
        return found | {"memo": memos.get(contract_no, found["memo"])}

    @api.put("/contracts/{contract_no}/memo")
    async def memo(contract_no: str, request: Request) -> Any:
        known = memos.get(contract_no, {"version": 1})
        if request.headers["if-match"] != f'"{known["version"]}"':
            return JSONResponse({"title": "他の方が先に保存しました"}, 409)
        body = await request.json()
        memos[contract_no] = {
            "text": body["text"],
            "version": known["version"] + 1,
            "saved_at": "2025-07-15T01:00:00Z",
            "editable": True,
        }
        return memos[contract_no]

    @api.get("/contracts/{contract_no}/payment-confirmation.pdf")
    async def paper(contract_no: str) -> Response:
        headers = {"content-disposition": f'inline; filename="{contract_no}.pdf"'}
        return Response(b"%PDF-1.7", media_type="application/pdf", headers=headers)

    @api.get("/contracts.csv")
    async def csv() -> Response:
        return Response("a,b", media_type="text/csv; charset=utf-8")

    @api.get("/vehicles")
    async def vehicles() -> Any:
        return {"items": [{"vehicle_code": "PRIUS", "name": "プリウス"}]}

    @api.get("/products")
    async def products() -> Any:
        return {"items": [{"product_code": "SVP_R", "name": "スマートバリュープランR"}]}

    @api.get("/staff")
    async def staff() -> Any:
        return {"items": [{"person_id": "D01-E102", "staff_code": "E102", "name": "伊藤 翔"}]}

    app.include_router(api)
    return app
