"""Demo users of the development issuer: the people of the demo masters."""

from collections.abc import Sequence

from madoguchi.embedded.demo import Dealer, Masters
from shared.auth import Principal, Role

AT_THE_LOGIN = 2
"""Number of dealers whose people are on the login page."""


def demo_people(masters: Masters, dealers: int = AT_THE_LOGIN) -> Sequence[Principal]:
    """All staff of the first dealers, an accountant, and the finance company's operators."""
    people = [_of_dealer(dealer) for dealer in masters.dealers[:dealers]]
    tfc = masters.tfc_operator
    return [
        *(person for of_dealer in people for person in of_dealer),
        _of_tfc(tfc.code, tfc.name, tfc.mail, Role.TFC),
        _of_tfc("O001", "運用 担当", "operator@tfc.example.jp", Role.OPERATOR),
        accountant(masters.dealers[0]),
    ]


def _of_dealer(dealer: Dealer) -> list[Principal]:
    return [
        Principal(
            user_id=f"{dealer.code}-{person.code}",
            name=person.name,
            dealer=dealer.code,
            store=person.store_code,
            staff_code=person.code,
            roles=frozenset({person.role, Role.EMPLOYEE}),
            mail=person.mail,
        )
        for person in dealer.staff
    ]


def accountant(dealer: Dealer) -> Principal:
    """The accountant for a dealer's travel expenses."""
    return Principal(
        user_id=f"{dealer.code}-A001",
        name="経理 太一",
        dealer=dealer.code,
        store=None,
        staff_code="A001",
        roles=frozenset({Role.EXPENSE_ADMIN, Role.EXPENSE_APPROVER, Role.EMPLOYEE}),
        mail=f"a001@{dealer.code.lower()}.example.jp",
    )


def _of_tfc(code: str, name: str, mail: str, role: Role) -> Principal:
    return Principal(code, name, None, None, code, frozenset({role}), mail)
