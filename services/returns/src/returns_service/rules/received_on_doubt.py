"""A day of receipt that is possible and yet probably a slip, such as 2016 for 2026 (D90).

A doubt is shown before sending and never refuses: a car may be reported late (D74).
"""

from datetime import date, timedelta

LONG_AGO_DAYS = 180


def received_on_doubt(
    received_on: date | None, *, today: date, first_registered_on: date | None
) -> str | None:
    """The sentence to ask with, or None; a vehicle is not received before its registration."""
    if received_on is None:
        return None
    if first_registered_on and received_on < first_registered_on:
        registered = f"{first_registered_on:%Y/%m/%d}"
        return f"車両返却受領日が初度登録（{registered}）より前の日付です。年をご確認ください"
    if received_on < today - timedelta(days=LONG_AGO_DAYS):
        days = (today - received_on).days
        return f"車両返却受領日が{days}日前の日付です。年月日をご確認ください"
    return None
