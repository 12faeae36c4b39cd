"""Payment confirmation (お支払方法確認書) as PDF, for the customer to sign (D51, D65-D67).

The customer's data is passed to the typesetter as values, never as markup; the Japanese font is
embedded.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

import pylopdf_fonts_jp
import typst

from contracts_service.rules.calendar_days import japanese_date
from contracts_service.rules.result_deadline import confirm_with_customer_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The values on the form."""

    document_id: str
    dealer: str
    store: str
    product: str
    contract_no: str
    customer_name: str
    postal_code: str
    address: str
    vehicle: str
    final_on: date
    last_instalment_yen: int | None
    printed_on: date


def print_confirmation(form: Confirmation) -> bytes:
    """The PDF; takes a few hundredths of a second."""
    yen = form.last_instalment_yen
    values = {
        "document": form.document_id,
        "dealer": form.dealer,
        "store": form.store,
        "product": form.product,
        "contract": form.contract_no,
        "name": form.customer_name,
        "postal": form.postal_code,
        "address": form.address,
        "vehicle": form.vehicle,
        "final": japanese_date(form.final_on),
        "yen": f"{yen:,}円" if yen is not None else "－",
        "deadline": confirm_with_customer_by(form.final_on),
        "printed": japanese_date(form.printed_on),
    }
    fonts = [str(resources.files(pylopdf_fonts_jp))]
    pdf = typst.compile(  # type: ignore[misc]  # its stub cannot express the input's type
        input=_template(), font_paths=fonts, ignore_system_fonts=True, sys_inputs=values
    )
    assert isinstance(pdf, bytes)
    return pdf


@cache
def _template() -> bytes:
    return (resources.files("contracts_service") / "payment_confirmation.typ").read_bytes()
