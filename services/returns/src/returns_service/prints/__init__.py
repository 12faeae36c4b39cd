"""入力内容印刷: what was sent, as PDF with its Japanese font embedded (D97)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pylopdf_fonts_jp
import typst

_TEMPLATE = Path(__file__).parent / "entry.typ"
_FONTS = pylopdf_fonts_jp.sans_path().parent


@dataclass(frozen=True)
class Printed:
    """What is on the paper: `sections` with their labels and values, and what frames every page."""

    title: str
    dealer: str
    contract_no: str
    printed_at: str
    sections: Mapping[str, Mapping[str, str]]
    notes: Sequence[str]


def entry_pdf(printed: Printed) -> bytes:
    """The PDF; each page has the dealer, the contract number and its number of all pages."""
    data = asdict(printed)
    pdf: bytes = typst.compile(
        _TEMPLATE,
        font_paths=[_FONTS],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        pdf_standards="a-2u",
    )
    return pdf
