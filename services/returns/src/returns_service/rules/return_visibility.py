"""Visibility: who sees a return application, and whose contracts may be reported (D1, D2, D142).

An application stays with the store that originated it until it is final, wherever its contract
moves (A-34).
"""

from dataclasses import dataclass
from datetime import date

from shared.roles import Role


@dataclass(frozen=True)
class Actor:
    """The person (or TFC's core) that acts.

    `acting_for` is the approver whom a substitute represents; `role` and `store_code` are then
    those of the represented approver. TFC has neither dealer nor store, HQ has no store.
    """

    user_id: str
    role: Role
    dealer_code: str | None = None
    store_code: str | None = None
    acting_for: str | None = None


def sees_return(actor: Actor, *, dealer_code: str, store_code: str, was_requested: bool) -> bool:
    """Whether the application exists for `actor`; the codes are those of its originating store."""
    match actor.role:
        case Role.TFC:
            return was_requested
        case Role.HQ:
            return actor.dealer_code == dealer_code
        case _:
            return (actor.dealer_code, actor.store_code) == (dealer_code, store_code)


def sees_contract(
    actor: Actor, *, dealer_code: str, store_code: str, hidden_from_on: date | None, today: date
) -> bool:
    """Whether the contract exists for `actor`; it may be on its way to another store.

    `hidden_from_on` is the JST day from which its store does not see it any more; HQ always does.
    """
    if actor.dealer_code != dealer_code or actor.role is Role.TFC:
        return False
    moved = hidden_from_on is not None and today >= hidden_from_on
    return actor.role is Role.HQ or (actor.store_code == store_code and not moved)
