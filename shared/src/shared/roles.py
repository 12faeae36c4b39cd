"""Roles of people and systems, as tokens, tables, events and rules name them."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """A person's or system's role; one person may have several."""

    SALES = "sales"
    MANAGER = "manager"
    HQ = "hq"
    TFC = "tfc"
    EMPLOYEE = "employee"
    EXPENSE_APPROVER = "expense_approver"
    EXPENSE_ADMIN = "expense_admin"
    OPERATOR = "operator"
    SERVICE = "service"
    DEALER_SYSTEM = "dealer_system"

    @property
    def label_ja(self) -> str:
        """The role's Japanese name on the screens."""
        return ROLE_TITLES[self]


ROLE_TITLES: Mapping[Role, str] = {
    Role.SALES: "営業スタッフ",
    Role.MANAGER: "店長",
    Role.HQ: "本部担当者",
    Role.TFC: "TFC",
    Role.EMPLOYEE: "社員",
    Role.EXPENSE_APPROVER: "経費承認者",
    Role.EXPENSE_ADMIN: "経費管理者",
    Role.OPERATOR: "システム運用者",
    Role.SERVICE: "サービス間連携",
    Role.DEALER_SYSTEM: "販売店システム",
}
