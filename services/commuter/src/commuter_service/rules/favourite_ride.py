"""Favourite rides: which ride may be kept, and how many (R132). Not in the manual."""

from typing import ClassVar

from shared.errors import Kind, Refusal

MOST_FAVOURITES = 30


class RideNotLookedUp(Refusal):
    """Only a route that 乗換案内 decided can be priced again on another day."""

    code: ClassVar[str] = "RIDE_NOT_LOOKED_UP"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "乗換案内で決定した明細だけを、よく使う経路に登録できます"


class TooManyFavourites(Refusal):
    """The list is to be read at a glance."""

    code: ClassVar[str] = "TOO_MANY_FAVOURITES"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = f"よく使う経路は{MOST_FAVOURITES}件までです。使わないものを削除してください"


def check_favourite(route: str | None, *, kept: int) -> str:
    """The route to keep. Raises RideNotLookedUp, TooManyFavourites."""
    if route is None:
        raise RideNotLookedUp
    if kept >= MOST_FAVOURITES:
        raise TooManyFavourites
    return route
