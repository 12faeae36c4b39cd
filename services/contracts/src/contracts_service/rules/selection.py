"""Selection (選択区分) for the last instalment, and replacement (代替) (D11, D53-D56)."""

from dataclasses import dataclass
from enum import StrEnum


class Selection(StrEnum):
    """選択区分. A contract has one or, before the first entry, none (D52)."""

    EARLY_PAYOFF = "early_payoff"
    CASH_SETTLEMENT = "cash_settlement"
    RE_SPLIT = "re_split"
    VEHICLE_RETURN = "vehicle_return"

    @property
    def label(self) -> str:
        """The label on the screens."""
        return SELECTION_LABELS[self]


SELECTION_LABELS = {
    Selection.EARLY_PAYOFF: "早期完済",
    Selection.CASH_SETTLEMENT: "現金決済",
    Selection.RE_SPLIT: "再分割",
    Selection.VEHICLE_RETURN: "車両返却",
}

# The pulldown always ends with this code, independent of the vehicle master (D56).
OTHER_VEHICLE = "OTHER"
OTHER_VEHICLE_LABEL = "その他/車種名等"
OTHER_TEXT_MAX = 40


@dataclass(frozen=True, slots=True)
class Replacement:
    """自社代替: did the customer replace the car at this dealer, and by which model?

    `own=False` also covers a car bought elsewhere and an unknown outcome (D28, D54).
    `vehicle_code` is set exactly when `own`; `other_text` only ever accompanies OTHER_VEHICLE.
    """

    own: bool
    vehicle_code: str | None = None
    other_text: str | None = None
