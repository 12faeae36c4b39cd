"""入力内容印刷: the stored values, in a font that travels with the page."""

import io
import re
from typing import Any

import pypdf
import pytest

from shared.testing.people import SATO, SUZUKI, YAMADA

from .conftest import FORM, RETURNED, ReturnsApi


def read(pdf: bytes) -> tuple[str, list[str]]:
    """The text of a PDF, and its fonts that are not embedded."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    text, loose = "", []
    for page in reader.pages:
        text += page.extract_text()
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            described = font["/DescendantFonts"][0]["/FontDescriptor"]
            if not {"/FontFile2", "/FontFile3"} & set(described):
                loose.append(font["/BaseFont"])
    return text, loose


@pytest.mark.rule("D97")
async def test_the_print_equals_what_is_stored(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new(**(FORM | {"contact_2": "090-1111-2222"}))
    overwrite = RETURNED | {"received_on": "2025-07-03"}
    await returns(SATO).step(application_id, "approval", overwrite=overwrite)
    answer = await returns(YAMADA).get(f"/applications/{application_id}/print.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    text, loose = read(answer.content)
    for word in [
        application_id, "C-1001", "山本　太郎", "返却済み", "2025年7月3日(木)", "090-1111-2222",
        "yamada@example.jp", "山田 太郎", "本店", "スマートバリュープランR",
    ]:  # fmt: skip
        assert word in text
    assert "未返却理由" not in text
    assert loose == []
    assert re.search(r"1 ?/ ?1 ?ページ", text)
    assert "佐藤 誠" in text  # who approved
    assert "%E8%BB%8A" in answer.headers["content-disposition"]


@pytest.mark.rule("D97")
async def test_a_reason_is_printed_by_its_words(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new(
        kind="UNRETURNED", unreturned_reason="TOTAL_LOSS_OR_THEFT"
    )
    answer = await returns(YAMADA).get(f"/applications/{application_id}/print.pdf")
    text, _ = read(answer.content)
    assert "全損・盗難" in text
    assert "車両返却受領日" not in text


@pytest.mark.rule("D97")
async def test_there_is_no_print_before_sending_nor_for_others(returns: ReturnsApi) -> None:
    assert (await returns(YAMADA).get("/applications/RA-00000001/print.pdf")).status_code == 404
    application_id = await returns.submit_new()
    answer = await returns(SUZUKI).get(f"/applications/{application_id}/print.pdf")
    assert answer.status_code == 404
