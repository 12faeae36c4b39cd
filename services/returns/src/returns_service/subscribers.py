"""What do we learn from the others? Contracts, masters, cars, mails, and the steps of TFC's core.

Applications stay with the store that sent them, wherever their contract moves (A-34).
"""

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts import contract as told
from event_contracts import dealer, mail, masters, tfc_returns
from returns_service.actions.customer_erasure import erase_customer
from returns_service.actions.tfc_steps import apply_tfc_step
from returns_service.actor import TFC_CORE, RequestContext
from returns_service.models import (
    Application,
    ChangeApplication,
    Contract,
    HistoryLine,
    ReportedCar,
    Staff,
    Store,
)
from returns_service.queries import application_by_id, contract_by_number
from returns_service.rules.return_eligibility import Selection
from returns_service.rules.return_list import name_key, number_key
from shared.worker import Delivery, Subscribers

SUBSCRIBERS = Subscribers()
_SELECTIONS: dict[told.Category, Selection] = {
    "early_payoff": Selection.EARLY_PAYOFF,
    "cash_settlement": Selection.CASH,
    "re_split": Selection.RESPLIT,
    "vehicle_return": Selection.RETURN,
}


@SUBSCRIBERS.on(told.ContractRegistered, told.ContractUpdated)
async def upsert_contract(event: told.ContractFacts, _: Delivery, tx: AsyncSession) -> None:
    """Take over the facts as they are now; the lists show a changed name at once."""
    facts = {
        "dealer_id": event.dealer_id,
        "product_code": event.product_code,
        "final_on": event.final_on,
        "vehicle_model": event.vehicle.model,
        "registration_no": event.vehicle.registration_no,
        "first_registered_on": event.vehicle.first_registered_on,
        "store_code": event.store_code,
        "staff_code": event.staff_code,
        "receivable_purchased": event.receivable_purchased,
        "tfc_handled": event.tfc_handled,
        "customer_name": event.customer_name,
    }
    await tx.execute(
        insert(Contract)
        .values(contract_no=event.contract_no, **facts)
        .on_conflict_do_update(index_elements=["contract_no"], set_=facts)
    )
    names = {"customer_name": event.customer_name, "name_key": name_key(event.customer_name)}
    for table in (Application, ChangeApplication):
        await tx.execute(
            update(table)
            .where(
                table.contract_no == event.contract_no,
                table.customer_name != event.customer_name,
            )
            .values(names)
        )


async def _change(tx: AsyncSession, contract_no: str, **values: object) -> None:
    await tx.execute(update(Contract).where(Contract.contract_no == contract_no).values(values))


@SUBSCRIBERS.on(told.SelectionRecorded)
async def record_selection(event: told.SelectionRecorded, _: Delivery, tx: AsyncSession) -> None:
    """Know what the customer chose (D80)."""
    await _change(tx, event.contract_no, selection=_SELECTIONS[event.category].value)


@SUBSCRIBERS.on(told.SelectionChanged)
async def change_selection(event: told.SelectionChanged, _: Delivery, tx: AsyncSession) -> None:
    """Know what the customer chooses instead; nothing where it was taken back."""
    after = _SELECTIONS[event.after].value if event.after else None
    await _change(tx, event.contract_no, selection=after)


@SUBSCRIBERS.on(told.FinalHandlingCompleted)
async def record_completion(
    event: told.FinalHandlingCompleted, _: Delivery, tx: AsyncSession
) -> None:
    """Know by what the final handling of a contract is complete."""
    await _change(tx, event.contract_no, completed_by=event.basis)


@SUBSCRIBERS.on(told.FinalHandlingReopened)
async def clear_completion(
    event: told.FinalHandlingReopened, _: Delivery, tx: AsyncSession
) -> None:
    """The contract is to be handled again."""
    await _change(tx, event.contract_no, completed_by=None)


@SUBSCRIBERS.on(told.CustomerErased)
async def erase_customer_data(
    event: told.CustomerErased, delivery: Delivery, tx: AsyncSession
) -> None:
    """Who the customer was is forgotten here too."""
    await erase_customer(tx, event.contract_no, now=delivery.now)


@SUBSCRIBERS.on(told.AssignmentChangeRegistered)
async def hide_from_old_store(
    event: told.AssignmentChangeRegistered, _: Delivery, tx: AsyncSession
) -> None:
    """From the next day the old store does not see a moving contract (D142)."""
    hidden = event.hidden_from_old_store_on
    await _change(tx, event.contract_no, pending_change_id=event.change_id, hidden_from_on=hidden)


@SUBSCRIBERS.on(told.AssignmentChangeCancelled)
async def show_to_old_store(
    event: told.AssignmentChangeCancelled, _: Delivery, tx: AsyncSession
) -> None:
    """The old store sees it again, unless a newer change has replaced this one already."""
    await tx.execute(
        update(Contract)
        .where(
            Contract.contract_no == event.contract_no,
            Contract.pending_change_id == event.change_id,
        )
        .values(pending_change_id=None, hidden_from_on=None)
    )


@SUBSCRIBERS.on(told.AssignmentChangeReflected)
async def move_to_new_store(
    event: told.AssignmentChangeReflected, _: Delivery, tx: AsyncSession
) -> None:
    """The new store and person are in force."""
    await _change(
        tx,
        event.contract_no,
        store_code=event.store_code,
        staff_code=event.staff_code,
        pending_change_id=None,
        hidden_from_on=None,
    )


@SUBSCRIBERS.on(masters.StoreUpdated)
async def upsert_store(event: masters.StoreUpdated, _: Delivery, tx: AsyncSession) -> None:
    """Know a store as it is now."""
    values = {
        "name": event.name,
        "unused": event.unused,
        "phone": event.phone,
        "dealer_name": event.dealer_name,
    }
    await tx.execute(
        insert(Store)
        .values(dealer_id=event.dealer_id, store_code=event.store_code, **values)
        .on_conflict_do_update(index_elements=["dealer_id", "store_code"], set_=values)
    )


@SUBSCRIBERS.on(masters.StaffUpdated)
async def upsert_staff(event: masters.StaffUpdated, _: Delivery, tx: AsyncSession) -> None:
    """Know a person as he is now; whoever left stays known, and inactive."""
    values = {
        "name": event.name,
        "store_code": event.store_code,
        "role": event.role,
        "active": event.active,
        "mobile": event.mobile,
    }
    await tx.execute(
        insert(Staff)
        .values(dealer_id=event.dealer_id, staff_code=event.staff_code, **values)
        .on_conflict_do_update(index_elements=["dealer_id", "staff_code"], set_=values)
    )


@SUBSCRIBERS.on(
    tfc_returns.TfcReturnAccepted,
    tfc_returns.TfcReturnOnHold,
    tfc_returns.TfcReturnHoldReleased,
    tfc_returns.TfcReturnContactEntryStarted,
    tfc_returns.TfcReturnContactEntered,
    tfc_returns.TfcReturnRemanded,
    tfc_returns.TfcReturnCompleted,
)
async def apply_tfc_event(
    event: tfc_returns.TfcReturnEvent, delivery: Delivery, tx: AsyncSession
) -> None:
    """TFC's core takes a step, or learns that it comes too late."""
    await apply_tfc_step(RequestContext(tx, delivery.now, TFC_CORE), event)


@SUBSCRIBERS.on(tfc_returns.TfcChangeApplicationUpdated)
async def upsert_change_application(
    event: tfc_returns.TfcChangeApplicationUpdated, _: Delivery, tx: AsyncSession
) -> None:
    """Show an application that TFC keeps as a row of the list (D99), at its contract's store."""
    contract = await contract_by_number(tx, event.dealer_id, event.contract_no)
    name = contract.customer_name if contract else ""
    values = {
        "store_code": contract.store_code if contract else "",
        "contract_no": event.contract_no,
        "contract_key": number_key(event.contract_no),
        "customer_name": name,
        "name_key": name_key(name),
        "kind": event.kind.upper(),
        "status": event.status,
        "requested_at": event.requested_at,
        "updated_at": event.updated_at,
    }
    await tx.execute(
        insert(ChangeApplication)
        .values(change_id=event.change_id, dealer_id=event.dealer_id, **values)
        .on_conflict_do_update(index_elements=["change_id"], set_=values)
    )


@SUBSCRIBERS.on(mail.MailSent, mail.MailSuppressed, mail.MailFailed, mail.MailOutcomeUnknown)
async def record_mail(event: mail.MailEvent, delivery: Delivery, tx: AsyncSession) -> None:
    """Say in the history what became of a mail; mails about anything else are not ours."""
    found = await application_by_id(tx, event.subject_id)
    if found is None or found.dealer_id != event.dealer_id:
        return
    facts = event.model_dump(mode="json", include={"mail_kind", "recipient_role", "reason"})
    tx.add(
        HistoryLine(
            application_id=found.application_id,
            dealer_id=found.dealer_id,
            at=delivery.occurred_at,
            action=event.wire_type.split(".v")[0].replace(".", "_"),
            actor_id="NOTIFIER",
            actor_role="service",
            actor_name="メール配信",
            from_status=found.status,
            to_status=found.status,
            version=found.version,
            status_version=found.status_version,
            changes=[],
            facts=facts,
        )
    )


@SUBSCRIBERS.on(dealer.VehicleReturned)
async def upsert_reported_car(
    event: dealer.VehicleReturned, delivery: Delivery, tx: AsyncSession
) -> None:
    """Open 起票画面 with what the dealer's system knows; sending stays with a person (D93)."""
    plate = name_key(event.registration_no) if event.registration_no else None
    values = {
        "contract_no": event.contract_no,
        "registration_key": plate,
        "received_on": event.received_on,
        "place": event.place,
        "odometer_km": event.odometer_km,
        "told_at": delivery.occurred_at,
    }
    await tx.execute(
        insert(ReportedCar)
        .values(dealer_id=event.dealer_id, source_id=event.source_id, **values)
        .on_conflict_do_update(index_elements=["dealer_id", "source_id"], set_=values)
    )


@SUBSCRIBERS.on(dealer.VehicleReturnCancelled)
async def delete_reported_car(
    event: dealer.VehicleReturnCancelled, _: Delivery, tx: AsyncSession
) -> None:
    """The form opens blank again; what a person has sent meanwhile stays."""
    await tx.execute(
        delete(ReportedCar).where(
            ReportedCar.dealer_id == event.dealer_id, ReportedCar.source_id == event.source_id
        )
    )
