"""精算書印刷: a slip on paper, each item with the explanation and the strip that its page has.

The Japanese font is embedded.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pylopdf_fonts_jp
import typst

_TEMPLATE = Path(__file__).parent / "slip.typ"
_FONTS = pylopdf_fonts_jp.sans_path().parent


def slip_pdf(slip: Mapping[str, Any]) -> bytes:
    """The PDF of a slip as `slip_answer` tells it; takes some tenths of a second."""
    pdf: bytes = typst.compile(
        _TEMPLATE,
        font_paths=[_FONTS],
        ignore_system_fonts=True,
        sys_inputs={"slip": orjson.dumps(slip).decode()},
        pdf_standards="a-2u",
    )
    return pdf
