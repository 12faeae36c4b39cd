"""Result entry (進捗・結果入力): may it be entered, and what is recorded? (D38, D52-D64, D68-D72).

One selection for the last instalment, and whether the customer replaces the vehicle here. Checked
in order: what closes the whole screen, then the form, then the refusals of the selected category,
then the attestations.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contracts_service.rules.completion import CompletionBasis
from contracts_service.rules.result_deadline import (
    FirstEntryAfterChangeLimit,
    change_limit_on,
    change_limit_passed,
    entry_has_ended,
    entry_is_late,
    result_due_on,
)
from contracts_service.rules.selection import (
    OTHER_TEXT_MAX,
    OTHER_VEHICLE,
    Replacement,
    Selection,
)
from contracts_service.rules.tfc_handling import tfc_refusal
from shared.errors import FieldError, FormErrors, Kind, Refusal

PAPER_LONG_AGO_DAYS = 180
NEEDS_SIGNED_PAPER = frozenset({Selection.CASH_SETTLEMENT, Selection.VEHICLE_RETURN})


class EntryHasEnded(Refusal):
    """The last day has passed (D61, D62)."""

    code = "ENTRY_HAS_ENDED"
    kind = Kind.CONFLICT
    message = "最終回期日を過ぎているため、入力できません"


class ChangeLimitPassed(Refusal):
    """Less than a month before the last day the selection can no longer change (D60)."""

    code = "CHANGE_LIMIT_PASSED"
    kind = Kind.CONFLICT
    message = "選択区分の入力変更は、最終回期日の1ヶ月前までです"


class FirstEntryTooLate(Refusal):
    """The dealer's setting closes first entries at the change limit (D61)."""

    code = "FIRST_ENTRY_TOO_LATE"
    kind = Kind.CONFLICT
    message = "最終回期日の1ヶ月前を過ぎています。TFCへご連絡ください"


class HandlingCompleted(Refusal):
    """Payoff, return, re-split or the finance company completed the contract (D60)."""

    code = "HANDLING_COMPLETED"
    kind = Kind.CONFLICT
    message = "最終回対応が完了しているため、選択区分は変更できません"


class ReturnInProgress(Refusal):
    """An open return application fixes the selection at 車両返却 (D60, D80)."""

    code = "RETURN_IN_PROGRESS"
    kind = Kind.CONFLICT
    message = "車両返却の申込が手続中のため、選択区分は変更できません"


class CustomerChangePending(Refusal):
    """A change of name or address is pending; the result waits for it (D64)."""

    code = "CUSTOMER_CHANGE_PENDING"
    kind = Kind.CONFLICT
    message = "届出事項（住所、氏名等）の変更手続きが完了してから、結果を入力してください"


class PayoffNotSelected(Refusal):
    """早期完済受付 needs an open contract with the selection 早期完済 (D69)."""

    code = "PAYOFF_NOT_SELECTED"
    kind = Kind.CONFLICT
    message = "選択区分が早期完済ではないため、早期完済受付へ進めません"


class Recorded(StrEnum):
    """The outcome of 決定; it determines the emitted event."""

    FIRST = "first"
    CHANGED = "changed"
    REPLACEMENT_ONLY = "replacement_only"
    NOTHING_NEW = "nothing_new"


class Exit(StrEnum):
    """The two buttons of 早期完済確認画面 (D69)."""

    PAYOFF_RECEPTION = "payoff_reception"
    CUSTOMER_LIST = "customer_list"

    @property
    def label(self) -> str:
        """The button's label."""
        return {
            Exit.PAYOFF_RECEPTION: "早期完済受付へ",
            Exit.CUSTOMER_LIST: "最終回対象顧客一覧へ",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFacts:
    """The current state of the contract. `late` is the mark of the stored entry."""

    final_on: date
    selection: Selection | None = None
    replacement: Replacement | None = None
    late: bool = False
    completion: CompletionBasis | None = None
    tfc_handled: bool = False
    return_open: bool = False
    customer_change_pending: bool = False
    first_registered_month: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordResult:
    """The entry on 決定. `own_replacement` None: neither 無 nor 有."""

    categories: frozenset[Selection]
    own_replacement: bool | None
    vehicle_code: str | None = None
    other_text: str | None = None
    confirmation_received: bool = False
    confirmation_received_on: date | None = None
    unchangeable_confirmed: bool = False
    doubts_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultDecision:
    """The values to store in one write, and the deadlines that were checked."""

    recorded: Recorded
    selection: Selection
    replacement: Replacement
    late: bool
    deadline_on: date
    change_deadline_on: date
    exits: tuple[Exit, ...]


def entry_refusal(facts: EntryFacts, *, today: date) -> Refusal | None:
    """Why the whole screen is closed today, or None (D38, D61, D62)."""
    if refusal := tfc_refusal(tfc_handled=facts.tfc_handled):
        return refusal
    return EntryHasEnded() if entry_has_ended(facts.final_on, today=today) else None


def choice_is_final(facts: EntryFacts, *, today: date) -> bool:
    """Whether a selection made today could no longer be changed (D61).

    A stored one is fixed already; then only the replacement may change (D62).
    """
    return facts.selection is None and change_limit_passed(facts.final_on, today=today)


def decide_result(
    facts: EntryFacts,
    command: RecordResult,
    *,
    today: date,
    vehicle_codes: Collection[str],
    first_entry: FirstEntryAfterChangeLimit = FirstEntryAfterChangeLimit.ACCEPT,
) -> ResultDecision:
    """The result to record, or a refusal.

    `vehicle_codes` are the active codes of the vehicle master; OTHER_VEHICLE is always allowed
    (D56).

    Raises:
        FormErrors: fields missing or contradicting each other. TfcHandles, EntryHasEnded,
        ChangeLimitPassed, FirstEntryTooLate, HandlingCompleted, ReturnInProgress,
        CustomerChangePending: see each.
    """
    if refusal := entry_refusal(facts, today=today):
        raise refusal
    errors = [*_category_errors(facts, command), *_replacement_errors(command, vehicle_codes)]
    chosen = next(iter(command.categories), None)
    choice_is_new = chosen is not facts.selection
    if chosen is not None and choice_is_new:
        refusal = _choice_refusal(facts, chosen, today=today, first_entry=first_entry)
        if refusal and not errors:
            raise refusal
        errors += _attestation_errors(facts, command, chosen, today=today)
    if errors or chosen is None:
        raise FormErrors(*errors)
    selection, replacement = chosen, _replacement_of(command)
    return ResultDecision(
        recorded=_recorded(facts, selection, replacement),
        selection=selection,
        replacement=replacement,
        late=entry_is_late(facts.final_on, today=today) if choice_is_new else facts.late,
        deadline_on=result_due_on(facts.final_on),
        change_deadline_on=change_limit_on(facts.final_on),
        exits=tuple(Exit) if selection is Selection.EARLY_PAYOFF else (),
    )


def payoff_request_refusal(facts: EntryFacts) -> Refusal | None:
    """Why 早期完済受付へ is closed, or None (D69)."""
    if refusal := tfc_refusal(tfc_handled=facts.tfc_handled):
        return refusal
    if facts.selection is not Selection.EARLY_PAYOFF or facts.completion:
        return PayoffNotSelected()
    return None


def _replacement_of(command: RecordResult) -> Replacement:
    other_text = (command.other_text or "").strip() or None
    return Replacement(bool(command.own_replacement), command.vehicle_code, other_text)


def _category_errors(facts: EntryFacts, command: RecordResult) -> list[FieldError]:
    if not command.categories:
        return [FieldError("category", "CATEGORY_MISSING", "選択区分を選択してください")]
    if len(command.categories) > 1:
        message = "選択区分は１つだけ選択してください"
        return [FieldError("category", "CATEGORY_NOT_SINGLE", message)]
    if Selection.RE_SPLIT in command.categories and facts.selection is not Selection.RE_SPLIT:
        # 再分割 is reached by applying for screening, not by ticking a box (D53, A-12).
        message = "再分割は、再分割シミュレーションから審査をお申し込みください"
        return [FieldError("category", "CATEGORY_BY_APPLICATION", message)]
    return []


def _replacement_errors(command: RecordResult, vehicle_codes: Collection[str]) -> list[FieldError]:
    code, text = command.vehicle_code, (command.other_text or "").strip()
    errors = []
    if command.own_replacement is None:
        errors.append(
            FieldError("own_replacement", "REPLACEMENT_MISSING", "自社代替の有無を選択してください")
        )
    elif command.own_replacement and code is None:
        errors.append(FieldError("vehicle_code", "VEHICLE_MISSING", "代替車両を選択してください"))
    elif not command.own_replacement and code is not None:
        message = "自社代替が「無」の場合、代替車両は選択できません"
        errors.append(FieldError("vehicle_code", "VEHICLE_WITHOUT_REPLACEMENT", message))
    elif code is not None and code != OTHER_VEHICLE and code not in vehicle_codes:
        message = "代替車両が一覧にありません"
        errors.append(FieldError("vehicle_code", "VEHICLE_UNKNOWN", message))
    if text and code != OTHER_VEHICLE:
        message = "車種名は【その他/車種名等】を選択した場合に入力してください"
        errors.append(FieldError("other_text", "OTHER_TEXT_WITHOUT_OTHER", message))
    if len(text) > OTHER_TEXT_MAX:
        message = f"車種名は{OTHER_TEXT_MAX}文字以内で入力してください"
        errors.append(FieldError("other_text", "OTHER_TEXT_TOO_LONG", message))
    return errors


def _choice_refusal(
    facts: EntryFacts,
    selection: Selection,
    *,
    today: date,
    first_entry: FirstEntryAfterChangeLimit,
) -> Refusal | None:
    if facts.completion not in {None, CompletionBasis.CASH_DECIDED}:
        return HandlingCompleted()
    if facts.return_open and selection is not Selection.VEHICLE_RETURN:
        return ReturnInProgress()
    if facts.customer_change_pending and selection in NEEDS_SIGNED_PAPER:
        return CustomerChangePending()
    if not change_limit_passed(facts.final_on, today=today):
        return None
    if facts.selection is not None:
        return ChangeLimitPassed()
    refuses = first_entry is FirstEntryAfterChangeLimit.REFUSE
    return FirstEntryTooLate() if refuses and selection is not Selection.EARLY_PAYOFF else None


def _attestation_errors(
    facts: EntryFacts, command: RecordResult, selection: Selection, *, today: date
) -> list[FieldError]:
    errors = []
    received_on = command.confirmation_received_on
    if selection in NEEDS_SIGNED_PAPER:
        if not command.confirmation_received:
            message = "「お支払方法確認書」を受領後に入力してください"
            errors.append(FieldError("confirmation_received", "PAPER_NOT_RECEIVED", message))
        if received_on is not None and received_on > today:
            message = "受領日は本日までの日付で入力してください"
            errors.append(FieldError("confirmation_received_on", "DATE_IN_FUTURE", message))
        since = facts.first_registered_month
        if received_on is not None and since is not None and received_on < since:
            # 2016 typed for 2026: no paper is signed before there is a car.
            message = (
                f"受領日が初度登録（{since.year}年{since.month}月）より前です。年をご確認ください"
            )
            errors.append(FieldError("confirmation_received_on", "DATE_BEFORE_CAR", message))
        elif received_on is not None and not command.doubts_confirmed:
            errors += _doubts(received_on, today=today)
    if choice_is_final(facts, today=today) and not command.unchangeable_confirmed:
        message = "この入力は後から変更できません。確認のうえチェックしてください"
        errors.append(FieldError("unchangeable_confirmed", "UNCHANGEABLE_UNCONFIRMED", message))
    return errors


def _doubts(received_on: date, *, today: date) -> list[FieldError]:
    """What is possible and yet probably a slip, such as last year's number in January."""
    days = (today - received_on).days
    if days <= PAPER_LONG_AGO_DAYS:
        return []
    message = f"受領日が{days}日前の日付です。年月日をご確認ください"
    return [FieldError("confirmation_received_on", "DATE_LONG_AGO", message)]


def _recorded(facts: EntryFacts, selection: Selection, replacement: Replacement) -> Recorded:
    if facts.selection is None:
        return Recorded.FIRST
    if facts.selection is not selection:
        return Recorded.CHANGED
    return Recorded.NOTHING_NEW if facts.replacement == replacement else Recorded.REPLACEMENT_ONLY
