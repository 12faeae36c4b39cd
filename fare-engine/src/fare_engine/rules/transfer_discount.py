"""What do two operators with a transfer discount charge together (F19)?

The discount belongs to a ride that both operators charge. A pass that makes one of them free takes
the discount away; the cheapest combined ride without any pass stays available, so that a pass
never makes the ride dearer.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CombinedCharge:
    """Yen for both operators together, the discount already taken off."""

    through_yen: int
    charged_yen: int
    discount_yen: int


def combined_charge(
    *, through_yen: int, first_yen: int, second_yen: int, discount_yen: int
) -> CombinedCharge:
    """Charge two adjoining runs together.

    `through_yen`: both operators on the cheapest combined ride, before the discount. `first_yen`,
    `second_yen`: what each would charge alone after the passes. The returned `discount_yen` is the
    one inside `charged_yen`, 0 where it no longer applies.
    """
    through = through_yen - discount_yen
    applies = first_yen > 0 and second_yen > 0
    charged = first_yen + second_yen - (discount_yen if applies else 0)
    if charged < through:
        return CombinedCharge(through, charged, discount_yen if applies else 0)
    return CombinedCharge(through, through, discount_yen)
