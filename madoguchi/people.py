"""Who may log in to the demo? The people of its masters, as the development issuer knows them."""

from collections.abc import Sequence

from madoguchi.demo import Masters
from shared.auth import Principal, Role


def demo_people(masters: Masters) -> Sequence[Principal]:
    """Everybody of the first dealers, the finance company's operator, and who sees to expenses."""
    people = [
        Principal(
            user_id=f"{dealer.code}-{person.code}",
            name=person.name,
            dealer=dealer.code,
            store=person.store_code,
            staff_code=person.code,
            roles=frozenset({person.role, Role.EMPLOYEE}),
            mail=person.mail,
        )
        for dealer in masters.dealers[:2]
        for person in dealer.staff
    ]
    tfc = masters.tfc_operator
    people.append(_of_tfc(tfc.code, tfc.name, tfc.mail, Role.TFC))
    people.append(_of_tfc("O001", "運用 担当", "operator@tfc.example.jp", Role.OPERATOR))
    people.append(
        Principal(
            user_id="D01-A001",
            name="経理 太一",
            dealer="D01",
            store=None,
            staff_code="A001",
            roles=frozenset({Role.EXPENSE_ADMIN, Role.EXPENSE_APPROVER, Role.EMPLOYEE}),
            mail="a001@d01.example.jp",
        )
    )
    return people


def _of_tfc(code: str, name: str, mail: str, role: Role) -> Principal:
    return Principal(code, name, None, None, code, frozenset({role}), mail)
