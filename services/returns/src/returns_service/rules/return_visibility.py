"""Who sees a return application? D1, D2, A-34.

It stays with the store that originated it until it is final, wherever the contract moves meanwhile.
"""

from dataclasses import dataclass

from returns_service.rules.return_status import Role


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
