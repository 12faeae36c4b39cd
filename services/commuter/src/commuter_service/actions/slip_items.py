"""Slip items added: typed, chosen in the route search, or read from an IC card."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from commuter_service.models import ChosenJourney, Slip, SlipItem
from commuter_service.passes.employee_passes import EmployeePasses, Ride, price_ride
from commuter_service.queries import kind_of
from commuter_service.rules.invoice_basis import (
    CostKind,
    Proof,
    invoice_basis,
    registration_number,
)
from commuter_service.rules.slip_form import FormItem
from commuter_service.rules.slip_kind import USES_SEARCH
from fare_engine.errors import FareError
from fare_engine.fares.explanation_model import as_json
from fare_engine.fares.tariffs import Tariffs
from fare_engine.routing.candidates import Label
from fare_engine.routing.route_text import parse_route
from fare_engine.routing.route_words import section_of
from fare_engine.routing.trains import Journey, journey_by
from fare_engine.routing.trains_over_route import ChosenTrain
from shared.errors import Kind, Refusal
from shared.http import NotFound
from shared.trace_context import new_id

NAMESAKES_DIFFER = 2  # minutes of waiting
TYPED, LOOK_UP, IC_CARD = "typed", "look_up", "ic_card"


class LookUpNotForThisKind(Refusal):
    """Slips of this kind hold no rides."""

    code = "LOOK_UP_NOT_FOR_THIS_KIND"
    message = "この申請種別では乗換案内を利用できません"


class SlipKindHoldsNoRides(Refusal):
    """Rides of an IC card belong into slips of the five kinds."""

    code = "SLIP_KIND_HOLDS_NO_RIDES"
    message = "この申請種別にはICカードの明細を取り込めません"


class AmountIsLookedUp(Refusal):
    """An amount of the look-up or of an IC card is not typed over."""

    code = "AMOUNT_IS_LOOKED_UP"
    message = "乗換案内またはICカードの金額は変更できません。乗換案内をもう一度呼び出してください"


class IcCardRowIsFixed(Refusal):
    """IC card rows are not looked up: the card has already deducted the pass (R34)."""

    code = "IC_CARD_ROW_IS_FIXED"
    kind = Kind.CONFLICT
    message = "ICカードから取り込んだ明細では乗換案内を利用できません"


class ReasonForNoPassMissing(Refusal):
    """Who does not want the own passes deducted says why."""

    code = "REASON_FOR_NO_PASS_MISSING"
    message = "定期区間を使わない理由を入力してください"


@dataclass(frozen=True, slots=True)
class Decision:
    """決定 in the look-up; with `without_pass_reason` nothing is deducted, and the reason kept.

    `trains`, `minutes` and `labels` are those of the candidate that was chosen.
    """

    ride: Ride
    without_pass_reason: str | None = None
    trains: tuple[ChosenTrain, ...] = ()
    minutes: int | None = None
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemInput:
    """One line of the form. Without `item_id` it is new; `decision` is a fresh look-up.

    `by_hand`: a looked-up line becomes a typed one.
    """

    item_id: UUID | None = None
    item_on: date | None = None
    purpose: str = ""
    words: str = ""
    receipt: bool = False
    amount_yen: int | None = None
    by_hand: bool = False
    decision: Decision | None = None
    cost_kind: CostKind = CostKind.OTHER
    payee: str = ""
    registration_no: str = ""
    no_invoice_reason: str = ""


@dataclass(frozen=True, slots=True)
class IcCardRow:
    """A ride as the IC card tells it; the amount is what the card was charged."""

    item_on: date
    words: str
    amount_yen: int


def new_item(slip: Slip, position: int, source: str = TYPED) -> SlipItem:
    """An empty line."""
    return SlipItem(
        item_id=new_id(),
        slip_id=slip.slip_id,
        position=position,
        dealer_id=slip.dealer_id,
        employee_id=slip.employee_id,
        item_on=None,
        purpose="",
        words="",
        amount_yen=None,
        receipt=False,
        cost_kind=CostKind.OTHER.value,
        payee="",
        registration_no="",
        no_invoice_reason="",
        invoice_basis=None,
        **_no_look_up() | {"source": source},
    )


def _no_look_up() -> dict[str, object]:
    """What the columns of a look-up hold in a line without one."""
    return {
        "source": TYPED,
        "route": None,
        "medium": None,
        "round_trip": False,
        "through_yen": None,
        "searched_on": None,
        "item_on_at_decision": None,
        "passes_at_search": [],
        "explanation": None,
        "without_pass_reason": None,
        "journey": None,
    }


def items_from_input(
    slip: Slip,
    kept: Sequence[SlipItem],
    typed: Sequence[ItemInput],
    passes: EmployeePasses,
    tariffs: Tariffs,
) -> list[SlipItem]:
    """The slip's items after an edit, in the order typed. Raises NotFound for a foreign item."""
    known = {item.item_id: item for item in kept}
    items = []
    for position, line in enumerate(typed):
        item = known.pop(line.item_id, None) if line.item_id else new_item(slip, position)
        if item is None:
            raise NotFound
        item.position = position
        write_item(slip, item, line, passes, tariffs)
        items.append(item)
    return items


def write_item(
    slip: Slip, item: SlipItem, line: ItemInput, passes: EmployeePasses, tariffs: Tariffs
) -> None:
    """Take over what was typed; amounts of the look-up and of the card stay (R34, R41)."""
    item.item_on, item.purpose, item.receipt = line.item_on, line.purpose, line.receipt
    item.payee, item.no_invoice_reason = line.payee.strip(), line.no_invoice_reason.strip()
    item.registration_no = registration_number(line.registration_no)
    if line.decision is not None:
        apply_candidate(slip, item, line.decision, passes, tariffs)
        return
    if line.by_hand and item.source == LOOK_UP:
        turn_into_typed(item, line)
    elif item.source == TYPED:
        item.words, item.amount_yen = line.words, line.amount_yen
    elif line.by_hand or line.amount_yen not in {None, item.amount_yen}:
        raise AmountIsLookedUp
    if item.source == TYPED and not line.by_hand:
        item.cost_kind = line.cost_kind.value
    record_basis(item)


def form_item(item: SlipItem) -> FormItem:
    """An item as it is checked before a submission."""
    proof = Proof(item.registration_no, item.no_invoice_reason)
    return FormItem(item.item_on, item.amount_yen, CostKind(item.cost_kind), proof)


def record_basis(item: SlipItem) -> None:
    """Keep with the item what proves its input tax (R80)."""
    shown = form_item(item)
    found = invoice_basis(shown.cost_kind, shown.amount_yen, shown.proof)
    item.invoice_basis = found.value if found else None


def apply_candidate(
    slip: Slip, item: SlipItem, decision: Decision, passes: EmployeePasses, tariffs: Tariffs
) -> None:
    """決定: price the route for the searched day and keep all that decided it (R36, R40, R43)."""
    if kind_of(slip) not in USES_SEARCH:
        raise LookUpNotForThisKind
    if item.source == IC_CARD:
        raise IcCardRowIsFixed
    reason = decision.without_pass_reason
    if reason is not None and not reason.strip():
        raise ReasonForNoPassMissing
    ride = decision.ride
    priced = price_ride(ride, EmployeePasses() if reason is not None else passes, tariffs)
    explanation = replace(
        priced.explanation, notices=(*priced.explanation.notices, *priced.notices)
    )
    journey = _chosen_journey(tariffs, explanation.route, decision)
    if journey is not None:
        explanation = replace(explanation, trains=journey.trains)
    item.source, item.words = LOOK_UP, ""
    item.route, item.medium = explanation.route, ride.medium.value
    item.round_trip = ride.round_trip
    item.amount_yen, item.through_yen = explanation.charged_yen, explanation.through_yen
    item.searched_on = ride.on
    item.item_on = item.item_on or ride.on
    item.item_on_at_decision = item.item_on
    item.passes_at_search = passes.keys_on(slip.employee_id, ride.on)
    item.explanation = as_json(explanation)
    item.without_pass_reason = reason.strip() if reason else None
    item.journey = None
    if journey is not None:
        labels = [one.value for one in decision.labels]
        item.journey = ChosenJourney(
            minutes=_minutes(decision, journey), changes=journey.changes, labels=labels
        )
    item.cost_kind = CostKind.PUBLIC_TRANSPORT.value
    record_basis(item)


def _minutes(decision: Decision, journey: Journey) -> int:
    """Those of the candidate, where its trains take so long: namesakes differ a little."""
    shown = decision.minutes
    near = shown is not None and abs(shown - journey.minutes) <= NAMESAKES_DIFFER
    return shown if shown is not None and near else journey.minutes


def _chosen_journey(tariffs: Tariffs, route: str, decision: Decision) -> Journey | None:
    """The journey by the candidate's trains; None where they do not run over the route."""
    try:
        return journey_by(parse_route(tariffs.network, route), decision.trains)
    except FareError:  # a route of another source
        return None


def turn_into_typed(item: SlipItem, line: ItemInput) -> None:
    """手入力 instead of the look-up; without words it begins with section and amount of that."""
    assert item.route is not None
    return_trip = "（往復）" if item.round_trip else ""
    if line.words or line.amount_yen is not None:
        item.amount_yen = line.amount_yen
    item.words = line.words or section_of(item.route) + return_trip
    for name, value in _no_look_up().items():
        setattr(item, name, value)


def ic_card_item(slip: Slip, position: int, row: IcCardRow) -> SlipItem:
    """A line from the card, exactly as the card was charged; never deducted here (R34)."""
    item = new_item(slip, position, IC_CARD)
    item.item_on, item.words, item.amount_yen = row.item_on, row.words, row.amount_yen
    item.medium, item.cost_kind = "ic", CostKind.PUBLIC_TRANSPORT.value
    record_basis(item)
    return item


def copy_of(slip: Slip, item: SlipItem) -> SlipItem:
    """The same line for a copied slip: route, amount and searched day stay (R57)."""
    copied = new_item(slip, item.position, item.source)
    for name in COPIED:
        setattr(copied, name, getattr(item, name))
    return copied


COPIED = (
    *("item_on", "purpose", "words", "route", "medium", "round_trip", "amount_yen", "through_yen"),
    *("receipt", "searched_on", "item_on_at_decision", "passes_at_search", "explanation"),
    *("without_pass_reason", "journey", "cost_kind", "payee", "registration_no"),
    *("no_invoice_reason", "invoice_basis"),
)


def total_yen(items: Sequence[SlipItem]) -> int:
    """What the slip claims."""
    return sum(item.amount_yen or 0 for item in items)


def receipts_yen(items: Sequence[SlipItem]) -> int:
    """What of it is proved by receipts."""
    return sum(item.amount_yen or 0 for item in items if item.receipt)


def facts_of(items: Sequence[SlipItem]) -> dict[str, Any]:
    """The items for the trail: day, route or words, amount, and the passes that deducted (R62)."""
    return {
        "total_yen": total_yen(items),
        "items": [
            {
                "item_on": item.item_on.isoformat() if item.item_on else None,
                "what": item.route or item.words,
                "amount_yen": item.amount_yen,
                "deduction_yen": (item.explanation or {}).get("deduction_yen", 0),
                "passes": item.passes_at_search,
            }
            for item in items
        ],
    }
