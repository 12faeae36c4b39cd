"""精算書印刷: a slip on paper, each item with the explanation and the ride that its page has.

The Japanese font is embedded.
"""

from pathlib import Path

import pylopdf_fonts_jp
import typst

from commuter_service.slips.schemas import SlipAnswer

_TEMPLATE = Path(__file__).parent / "slip.typ"
_FONTS = pylopdf_fonts_jp.sans_path().parent


def slip_pdf(slip: SlipAnswer) -> bytes:
    """The PDF of a slip; takes some tenths of a second."""
    pdf: bytes = typst.compile(
        _TEMPLATE,
        font_paths=[_FONTS],
        ignore_system_fonts=True,
        sys_inputs={"slip": slip.model_dump_json()},
        pdf_standards="a-2u",
    )
    return pdf
