"""精算書印刷: what the page shows of a slip, with explanation and strip, in an embedded font."""

import io
from typing import Any

import pypdf

from .conftest import ADMIN, HANAKO, TARO, CommuterApi, line, looked_up


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


async def test_the_print_has_the_explanation_and_the_strip_of_each_item(
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
        "7月の交通費", "営業太郎", "一時保存", "三鷹:JR東日本/中央線:東京", "506円", "374円",
        "12,345円", "12,851円", explanation["why"], "通しの運賃", "定期区間外の合計（適用）",
        "三鷹―新宿 253円", "JR東日本 幹線（2026/03/14～）", one["pass_id"], "版1",
        explanation["data_version"], "全区間が定期区間内",
        "支払 253円",  # of the strip
        "乗換案内の使用後に、明細の日付が変更されたため",
    ]:  # fmt: skip
        assert words.replace(" ", "") in text.replace(" ", ""), words
    assert loose == []


async def test_who_may_not_see_a_slip_gets_no_print(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(looked_up())
    path = f"/slips/{slip['slip_id']}/print.pdf"
    for who in (HANAKO, ADMIN):
        assert (await commuter_api.request(who, "GET", path)).status_code == 404
    await commuter_api.step(TARO, slip, "submit")
    assert (await commuter_api.request(ADMIN, "GET", path)).status_code == 200
