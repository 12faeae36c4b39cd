"""定期代 on the form of a pass: read from what was typed, and filled in again (R110)."""

from portal_service import formatting
from portal_service.api_client import FieldError
from portal_service.form_data import FormFields, FormValues
from portal_service.service_api import commuter

YEN_FIELDS = ("one_month_yen", "three_months_yen", "six_months_yen")


def prices_typed(fields: FormFields) -> commuter.PassBody:
    """What was typed; an amount that cannot be read becomes an error of its field."""
    yen = {name: yen_of(fields, name) for name in YEN_FIELDS}
    return {
        "one_month_yen": yen["one_month_yen"],
        "three_months_yen": yen["three_months_yen"],
        "six_months_yen": yen["six_months_yen"],
        "paid_every": fields.number("paid_every") or None,
        "priced_from": fields.day("priced_from"),
    }


def yen_of(fields: FormFields, name: str) -> int | None:
    """An amount as people type it; None if nothing was typed."""
    try:
        return formatting.read_yen(fields.text(name))
    except formatting.NotReadable as unreadable:
        fields.errors.append(FieldError(name, str(unreadable)))
        return None


def price_values(one: commuter.PassDetail) -> FormValues:
    """The fields of a pass that exists."""
    kept = {name: one[name] for name in (*YEN_FIELDS, "paid_every")}  # type: ignore[literal-required]
    values: FormValues = {name: str(value or "") for name, value in kept.items()}
    return values | {"priced_from": (one["priced_from"] or "").replace("-", "/")}
