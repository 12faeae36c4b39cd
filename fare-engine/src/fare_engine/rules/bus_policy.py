"""What is deducted for a pass that contains a bus section (R10, F17)?"""

from enum import StrEnum

BUS_NOTICE = "バス区間を含む定期区間は自動控除の保証対象外です。"


class BusPolicy(StrEnum):
    """Company switch: deduct the rail sections of a mixed pass, or nothing of it."""

    RAIL_ONLY = "rail_only"
    NONE = "none"


def deducts(*, has_bus: bool, policy: BusPolicy) -> bool:
    """Whether the rail sections of a pass are deducted."""
    return not has_bus or policy is BusPolicy.RAIL_ONLY


def is_guaranteed(*, has_bus: bool) -> bool:
    """Whether the deduction of a pass is promised; a bus section takes the promise away."""
    return not has_bus
