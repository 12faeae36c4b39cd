"""How much demo data a first start makes."""

from enum import StrEnum


class Demo(StrEnum):
    """What a first start finds."""

    LIVING = "living"
    """Contracts, and weeks of work on them."""
    SMALL = "small"
    """Contracts that nobody has worked on."""
    NONE = "none"
