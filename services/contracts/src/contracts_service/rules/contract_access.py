"""Contract access: which role may do what with which contract? (D1-D4, D47, D125, D131).

Two checks in order: may this role ever do it (403), and is the contract in the user's scope (404,
so that its existence is not revealed).
"""

from dataclasses import dataclass
from enum import StrEnum

from shared.errors import Kind, Refusal
from shared.roles import Role


class Action(StrEnum):
    """Actions on contracts."""

    SEARCH = "search"
    VIEW = "view"
    WRITE_NOTE = "write_note"
    ENTER_RESULT = "enter_result"
    REPORT_RETURN = "report_return"
    RESPLIT = "resplit"
    PRINT_CONFIRMATION = "print_confirmation"
    EXPORT_LIST = "export_list"
    CHANGE_ASSIGNMENT = "change_assignment"
    RELEASE_CUSTOMER_CHANGE = "release_customer_change"
    IMPORT_CONTRACTS = "import_contracts"


_STORE_WORK = frozenset({Role.SALES, Role.MANAGER})
_DEALER = _STORE_WORK | {Role.HQ}
_LEADERS = frozenset({Role.MANAGER, Role.HQ})

ALLOWED: dict[Action, frozenset[Role]] = {
    Action.SEARCH: _DEALER,
    Action.VIEW: _DEALER,
    # The memo is shared inside the store; headquarters reads it with the rest of the contract
    # (D47).
    Action.WRITE_NOTE: _STORE_WORK,
    Action.ENTER_RESULT: _DEALER,
    Action.REPORT_RETURN: _DEALER,
    Action.RESPLIT: _DEALER,
    Action.PRINT_CONFIRMATION: _DEALER,
    Action.EXPORT_LIST: _LEADERS,
    Action.CHANGE_ASSIGNMENT: _LEADERS,
    Action.RELEASE_CUSTOMER_CHANGE: frozenset({Role.HQ}),
    Action.IMPORT_CONTRACTS: frozenset({Role.TFC}),
}


class RoleMayNot(Refusal):
    """This role never does this (D1)."""

    code = "ROLE_MAY_NOT"
    kind = Kind.FORBIDDEN
    message = "この操作を行う権限がありません"


class ContractNotFound(Refusal):
    """Not found, or not visible to this user (D2)."""

    code = "CONTRACT_NOT_FOUND"
    kind = Kind.NOT_FOUND
    message = "契約が見つかりません"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The caller. `store_code` is None exactly for headquarters and the finance company."""

    role: Role
    dealer_code: str
    store_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractPlace:
    """Where a contract is visible today; without `viewing_store` to headquarters only (D142)."""

    dealer_code: str
    viewing_store: str | None


def role_refusal(role: Role, action: Action) -> Refusal | None:
    """Why this role never does this, or None."""
    return None if role in ALLOWED[action] else RoleMayNot()


def in_scope(viewer: Viewer, place: ContractPlace) -> bool:
    """Whether the contract is visible: own dealer, for store roles own store (D2, A-01)."""
    if viewer.role is Role.TFC or viewer.dealer_code != place.dealer_code:
        return False
    if viewer.role is Role.HQ:
        return True
    return viewer.store_code is not None and viewer.store_code == place.viewing_store
