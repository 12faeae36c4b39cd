"""Route search policy of a company: accepted fares, rides without the pass, roundabout ways."""

from enum import StrEnum
from typing import ClassVar

from fare_engine.rules.fare_rounding import Medium
from shared.errors import Refusal


class Media(StrEnum):
    """Company switch: the fares that may be claimed."""

    BOTH = "both"
    IC = "ic"
    TICKET = "ticket"

    @property
    def accepted(self) -> list[Medium]:
        """The media that may be chosen, the usual one first."""
        return [one for one in Medium if self in {Media.BOTH, Media(one.value)}]


class MediumNotAccepted(Refusal):
    """The company pays the other fare only."""

    code: ClassVar[str] = "MEDIUM_NOT_ACCEPTED"


class PassMustBeUsed(Refusal):
    """The company does not allow claiming a ride as if there were no pass."""

    code: ClassVar[str] = "PASS_MUST_BE_USED"
    message = "定期区間を使わない経路の登録は許可されていません"


class RoundaboutBlocksSubmission(Refusal):
    """The company pays no ride that costs much more than the cheapest way."""

    code: ClassVar[str] = "ROUNDABOUT_BLOCKS_SUBMISSION"


def check_look_up(
    medium: Medium, media: Media, *, without_pass: bool, without_pass_allowed: bool
) -> None:
    """Raises MediumNotAccepted, PassMustBeUsed."""
    if media is not Media.BOTH and medium.value != media.value:
        accepted = "IC運賃" if media is Media.IC else "きっぷの運賃"
        raise MediumNotAccepted(f"{accepted}で登録してください")
    if without_pass and not without_pass_allowed:
        raise PassMustBeUsed
