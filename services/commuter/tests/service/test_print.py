"""精算書印刷: what the page shows of a slip, with explanation and ride, in an embedded font."""

import io
from typing import Any

import pypdf

from .conftest import ADMIN, CHIEF, HANAKO, HEAD, TARO, CommuterApi, line, looked_up


def read(pdf: bytes) -> tuple[str, list[str]]:
    """The text of a PDF, and its fonts that are not embedded."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    loose = []
    for page in reader.pages:
        resources: Any = page["/Resources"]
        for font in resources.get("/Font", {}).values():
            described = font["/DescendantFonts"][0]["/FontDescriptor"]
            if not {"/FontFile2", "/FontFile3"} & set(described):
                loose.append(font["/BaseFont"])
    return "".join(page.extract_text() for page in reader.pages).replace("\n", ""), loose


async def test_the_print_has_the_explanation_and_the_ride_of_each_item(
    commuter_api: CommuterApi,
) -> None:
    one = await commuter_api.register(period="2026/04/01~")
    typed = {"item_on": "2026/04/02", "words": "書籍代", "amount_yen": 12345, "receipt": True}
    ride = looked_up("2026/04/01", "三鷹:中央線:東京", round_trip=True)
    slip = await commuter_api.slip(ride, typed, looked_up("2026/04/01"))
    moved = [line(item, item_on="2026-03-31") for item in slip["items"]]
    slip = await commuter_api.save(TARO, slip, *moved)
    answer = await commuter_api.request(TARO, "GET", f"/slips/{slip['slip_id']}/print.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    text, loose = read(answer.content)
    explanation = slip["items"][0]["explanation"]
    for words in [
        "7月の交通費", "営業太郎", "一時保存", "三鷹―東京", "三鷹 → 新宿", "506円", "374円",
        "12,345円", "12,851円", explanation["why"], "通しの運賃", "定期区間外の合計（適用）",
        "三鷹―新宿 253円", "JR東日本 幹線（2026/03/14～）", "定期区間 東京―新宿 2026/04/01~",
        explanation["data_version"], "全区間が定期区間内",
        "支払 253円", "社員番号", "E101", "所属店舗", "S10", "申請日", "承認日",
        "乗換案内の使用後に、明細の日付が変更されたため",
    ]:  # fmt: skip
        assert words.replace(" ", "") in text.replace(" ", ""), words
    for raw in ("三鷹:", "JR東日本/", one["pass_id"]):
        assert raw not in text, raw
    assert loose == []


async def test_the_print_has_days_and_names_of_those_who_approved(
    commuter_api: CommuterApi,
) -> None:
    await commuter_api.register("横浜:東海道線:川崎")  # beside the ride: not named
    commuter_api.clock.set("2026/04/03")
    slip = await commuter_api.slip(looked_up("2026/04/01", "三鷹:中央線:東京"))
    slip = await commuter_api.step(TARO, slip, "submit")
    for day, who in (("2026/04/05", CHIEF), ("2026/04/08", HEAD)):
        commuter_api.clock.set(day)
        slip = await commuter_api.step(who, slip, "approve")
    answer = await commuter_api.request(TARO, "GET", f"/slips/{slip['slip_id']}/print.pdf")
    text, _ = read(answer.content)
    for words in ("所属店舗S10", "申請日2026/04/03", "承認日2026/04/08", "承認1承認2経理申請者"):
        assert words in text.replace(" ", ""), words
    assert "川崎" not in text


async def test_the_print_names_the_department(commuter_api: CommuterApi) -> None:
    now = await commuter_api.get(ADMIN, "/accounting/settings")
    setting = {
        "target": now["target"],
        "debits": {one["kind"]: {"account": "交通費"} for one in now["debits"]},
        "credit": {"account": "未払金"},
        "tax_words": {one["treatment"]: one["word"] for one in now["tax_words"]},
        "departments": {"S10": "本店営業部"},
    }
    await commuter_api.put(ADMIN, "/accounting/settings", setting, version=0)
    slip = await commuter_api.slip(looked_up())
    assert (slip["store_code"], slip["department"]) == ("S10", "本店営業部")
    answer = await commuter_api.request(TARO, "GET", f"/slips/{slip['slip_id']}/print.pdf")
    assert "部署本店営業部" in read(answer.content)[0].replace(" ", "")


async def test_who_may_not_see_a_slip_gets_no_print(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up())
    path = f"/slips/{slip['slip_id']}/print.pdf"
    for who in (HANAKO, ADMIN):
        assert (await commuter_api.request(who, "GET", path)).status_code == 404
    await commuter_api.step(TARO, slip, "submit")
    assert (await commuter_api.request(ADMIN, "GET", path)).status_code == 200
