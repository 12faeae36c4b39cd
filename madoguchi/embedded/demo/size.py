"""Demo size: how much demo data a first start makes."""

from enum import StrEnum


class Demo(StrEnum):
    """The demo data of a first start."""

    LIVING = "living"
    """Contracts with weeks of work on them."""
    SMALL = "small"
    """Contracts without any work on them."""
    NONE = "none"
