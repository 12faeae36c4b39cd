"""入力内容印刷: what was sent, as PDF with its Japanese font embedded (D97)."""

import json
from collections.abc import Mapping
from pathlib import Path

import pylopdf_fonts_jp
import typst

_TEMPLATE = Path(__file__).parent / "entry.typ"
_FONTS = pylopdf_fonts_jp.sans_path().parent


def entry_pdf(lines: Mapping[str, Mapping[str, str]], *, title: str, notes: list[str]) -> bytes:
    """A PDF of one page: `lines` are the sections, each with its labels and values."""
    data = {"title": title, "sections": lines, "notes": notes}
    pdf: bytes = typst.compile(
        _TEMPLATE,
        font_paths=[_FONTS],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        pdf_standards="a-2u",
    )
    return pdf
