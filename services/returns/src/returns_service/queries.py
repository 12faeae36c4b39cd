"""Queries on applications, contracts, stores and staff, each named after its question."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.models import (
    Application,
    Approval,
    ApprovalFlow,
    Contract,
    HistoryLine,
    ReportedCar,
    Staff,
    Store,
    Substitute,
)
from returns_service.rules.approval_route import ApprovalSetting
from returns_service.rules.progress_list import name_key
from returns_service.rules.return_eligibility import EarlierReturn
from returns_service.rules.return_form import ResultKind
from returns_service.rules.return_status import Status
from returns_service.rules.return_visibility import Actor
from returns_service.rules.substitute_approver import Substitution
from shared.roles import Role

NO_APPROVAL = ApprovalSetting(store_approval=False, hq_approval=False)


async def contract_by_number(tx: AsyncSession, dealer: str, contract_no: str) -> Contract | None:
    """A contract of this dealer."""
    return await tx.scalar(
        select(Contract).where(Contract.dealer_id == dealer, Contract.contract_no == contract_no)
    )


async def contract_of(tx: AsyncSession, application: Application) -> Contract | None:
    """The contract of an application as it is now."""
    return await contract_by_number(tx, application.dealer_id, application.contract_no)


async def earlier_returns(tx: AsyncSession, contract_no: str) -> list[EarlierReturn]:
    """Every application that a contract ever had."""
    rows = await tx.execute(
        select(Application.status, Application.kind).where(Application.contract_no == contract_no)
    )
    return [EarlierReturn(Status(row.status), ResultKind(row.kind)) for row in rows]


async def open_application_of(tx: AsyncSession, contract_no: str) -> str | None:
    """The id of a contract's application that is neither 完了 nor 取下げ."""
    return await tx.scalar(
        select(Application.application_id).where(
            Application.contract_no == contract_no, ~Application.is_past
        )
    )


async def reported_car_of(tx: AsyncSession, contract: Contract) -> ReportedCar | None:
    """What the dealer's own system said last of the car of a contract."""
    plate = name_key(contract.registration_no)
    return await tx.scalar(
        select(ReportedCar)
        .where(
            ReportedCar.dealer_id == contract.dealer_id,
            or_(
                ReportedCar.contract_no == contract.contract_no,
                ReportedCar.registration_key == plate,
            ),
        )
        .order_by(ReportedCar.told_at.desc(), ReportedCar.source_id.desc())
        .limit(1)
    )


async def application_by_id(
    tx: AsyncSession, application_id: str, *, lock: bool = False
) -> Application | None:
    """An application of the transaction's dealer; `lock` keeps others from changing it."""
    question = select(Application).where(Application.application_id == application_id)
    if lock:
        question = question.with_for_update().execution_options(populate_existing=True)
    return await tx.scalar(question)


async def approval_flow_of(tx: AsyncSession, dealer: str) -> ApprovalFlow | None:
    """承認フロー設定 of a dealer, if it was ever set."""
    return await tx.scalar(select(ApprovalFlow).where(ApprovalFlow.dealer_id == dealer))


async def setting_of(tx: AsyncSession, dealer: str) -> ApprovalSetting:
    """Which levels approve at a dealer today."""
    flow = await approval_flow_of(tx, dealer)
    if flow is None:
        return NO_APPROVAL
    return ApprovalSetting(store_approval=flow.store_approval, hq_approval=flow.hq_approval)


async def store_by_code(tx: AsyncSession, dealer: str, store_code: str | None) -> Store | None:
    """A store of a dealer."""
    return await tx.scalar(
        select(Store).where(Store.dealer_id == dealer, Store.store_code == store_code)
    )


async def store_names(tx: AsyncSession, keys: Collection[tuple[str, str]]) -> dict[str, str]:
    """Names of stores, by "dealer/store"; `keys` are (dealer, store) pairs."""
    rows = await tx.execute(
        select(Store.dealer_id, Store.store_code, Store.name).where(
            tuple_(Store.dealer_id, Store.store_code).in_(set(keys))
        )
    )
    return {f"{row.dealer_id}/{row.store_code}": row.name for row in rows}


async def dealer_names(tx: AsyncSession, dealers: Collection[str]) -> dict[str, str]:
    """Names of dealers, by their codes; one that no master has named is left out."""
    rows = await tx.execute(
        select(Store.dealer_id, Store.dealer_name)
        .where(Store.dealer_id.in_(dealers), Store.dealer_name.is_not(None))
        .distinct()
    )
    return {row.dealer_id: row.dealer_name for row in rows}


async def staff_by_id(tx: AsyncSession, dealer: str, person_id: str | None) -> Staff | None:
    """A person of a dealer by the id that our records use, D01-E101."""
    code = (person_id or "").removeprefix(f"{dealer}-")
    return await tx.scalar(select(Staff).where(Staff.dealer_id == dealer, Staff.staff_code == code))


async def staff_names(tx: AsyncSession, dealer: str, people: Collection[str]) -> dict[str, str]:
    """Names of a dealer's people, by the ids that our records use."""
    codes = [person.removeprefix(f"{dealer}-") for person in people]
    rows = await tx.scalars(
        select(Staff).where(Staff.dealer_id == dealer, Staff.staff_code.in_(codes))
    )
    return {row.person_id: row.name for row in rows}


async def approver_names(
    tx: AsyncSession, dealer: str, role: Role, store_code: str | None
) -> list[str]:
    """Names of the active people of a dealer in this role, of one store or of all."""
    of_store = [Staff.store_code == store_code] if store_code else []
    rows = await tx.scalars(
        select(Staff.name)
        .where(Staff.dealer_id == dealer, Staff.role == role.value, Staff.active, *of_store)
        .order_by(Staff.staff_code)
    )
    return list(rows)


async def approvals_of(tx: AsyncSession, application_id: str) -> Sequence[Approval]:
    """Every approval that an application was ever given, oldest first."""
    rows = await tx.scalars(
        select(Approval).where(Approval.application_id == application_id).order_by(Approval.version)
    )
    return rows.all()


NEWEST = 50
"""How many of a store's approvals are looked through for the addresses of its approvers."""


async def store_approver_mails(
    tx: AsyncSession, application: Application, *, today: date
) -> Sequence[str]:
    """The addresses of those who may approve an application for its store now.

    Each by the 連絡先3 of their last approval at this store (A-29): the managers of the store and
    their substitutes on `today`. No one approves their own application.
    """
    managers = await tx.scalars(
        select(Staff).where(
            Staff.dealer_id == application.dealer_id,
            Staff.store_code == application.store_code,
            Staff.role == "manager",
            Staff.active,
        )
    )
    people = {manager.person_id for manager in managers}
    substitutes = await substitutes_from(tx, application.dealer_id, today)
    people |= {
        s.substitute_id for s in substitutes if s.approver_id in people and s.from_on <= today
    }
    people -= await _not_active(tx, application.dealer_id, people)
    left = await tx.scalars(
        select(Approval)
        .join(Application, Application.application_id == Approval.application_id)
        .where(
            Application.dealer_id == application.dealer_id,
            Application.store_code == application.store_code,
            Approval.level == "store",
            Approval.mail.is_not(None),
        )
        .order_by(Application.is_past, Application.updated_at.desc(), Approval.version.desc())
        .limit(NEWEST)
    )
    newest: dict[str, str] = {}
    for approval in left:
        newest.setdefault(approval.approver_id, approval.mail or "")
    people.discard(application.originator_id)
    return [newest[person] for person in sorted(people & newest.keys())]


async def _not_active(tx: AsyncSession, dealer: str, people: Collection[str]) -> set[str]:
    codes = [person.removeprefix(f"{dealer}-") for person in people]
    own = Staff.dealer_id == dealer, Staff.staff_code.in_(codes), ~Staff.active
    return {f"{dealer}-{code}" for code in await tx.scalars(select(Staff.staff_code).where(*own))}


async def history_of(tx: AsyncSession, application_id: str) -> Sequence[HistoryLine]:
    """The history of an application, oldest first."""
    rows = await tx.scalars(
        select(HistoryLine)
        .where(HistoryLine.application_id == application_id)
        .order_by(HistoryLine.line_id)
    )
    return rows.all()


async def substitutions_on(tx: AsyncSession, person: Actor, *, today: date) -> list[Substitution]:
    """In whose place a person may approve on `today`."""
    rows = await tx.scalars(
        select(Substitute).where(
            Substitute.dealer_id == person.dealer_code,
            Substitute.substitute_id == person.user_id,
            Substitute.from_on <= today,
            Substitute.to_on >= today,
            Substitute.ended_at.is_(None),
        )
    )
    return [substitution_in(row) for row in rows]


async def substitute_by_id(tx: AsyncSession, dealer: str, line_id: int) -> Substitute | None:
    """A substitution of a dealer, kept from others until the commit."""
    return await tx.scalar(
        select(Substitute)
        .where(Substitute.dealer_id == dealer, Substitute.line_id == line_id)
        .with_for_update()
    )


async def substitutes_from(tx: AsyncSession, dealer: str, today: date) -> Sequence[Substitute]:
    """The dealer's substitutions of today and later, first the earliest."""
    rows = await tx.scalars(
        select(Substitute)
        .where(
            Substitute.dealer_id == dealer,
            Substitute.to_on >= today,
            Substitute.ended_at.is_(None),
        )
        .order_by(Substitute.from_on, Substitute.line_id)
    )
    return rows.all()


def substitution_in(row: Substitute) -> Substitution:
    """A kept substitution as the rules know it."""
    approver = Actor(row.approver_id, Role(row.approver_role), row.dealer_id, row.approver_store)
    return Substitution(approver, row.substitute_id, row.from_on, row.to_on)


async def has_left(tx: AsyncSession, dealer_id: str, staff_code: str) -> bool:
    """Whether the staff master has this person as no longer active."""
    own = Staff.dealer_id == dealer_id, Staff.staff_code == staff_code
    return await tx.scalar(select(Staff.active).where(*own)) is False
