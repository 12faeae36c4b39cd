"""Steps of a return application: their buttons and questions (D112-D123, T2-T22).

The service decides whether a step is open, and gives the reason if not; here are the words, the
address and the fields of each.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from portal_service.service_api.returns import OfferAnswer
from shared.auth import Principal, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `path` is its address below the application's, here and at the service.

    `fields` are sent with it; `part` is the template that asks for them. `form`: the button leads
    to a form of its own instead of a question.
    """

    action: str
    label: str
    path: str
    sentence: str
    done: str
    fields: tuple[str, ...] = ()
    part: str | None = None
    form: bool = False
    kind: str = "plain"


APPROVE = Step(
    action="approve",
    label="承認",
    path="approval",
    sentence="この申込を承認します。",
    done="承認しました。",
    fields=("contact_3",),
    part="returns/_ask_mail.html",
    kind="primary",
)
CORRECT = Step(
    action="correct",
    label="訂正",
    path="correction",
    sentence="訂正した内容で、もう一度送信します。承認が済んでいるときは、もう一度承認が必要です。",
    done="訂正が完了しました。",
    form=True,
)
STEPS = (
    Step(
        action="withdraw",
        label="取り下げ",
        path="withdrawal",
        sentence="この申込を取り下げます。取り下げたあとは、訂正・再送信ができません。",
        done="取下げが完了しました。",
        kind="danger",
    ),
    Step(
        action="take_over",
        label="引継ぎ",
        path="take-over",
        sentence="起票者を変更します。承認はやり直しになります。",
        done="引継ぎが完了しました。",
        fields=("new_originator_id", "contact_3"),
        part="returns/_ask_successor.html",
    ),
    CORRECT,
    Step(
        action="remand",
        label="差戻し",
        path="remand",
        sentence="この申込を差し戻します。",
        done="差戻しが完了しました。",
        fields=("comment", "dealer_note"),
        part="returns/_ask_comment.html",
    ),
    APPROVE,
)
TFC_STEPS = (
    Step(
        action="remand",
        label="差戻し",
        path="tfc-remand",
        sentence="この申込を販売店へ差し戻します。",
        done="差戻しが完了しました。",
        fields=("reason",),
        part="returns/_ask_reason.html",
    ),
    Step(
        action="hold",
        label="保留",
        path="hold",
        sentence="この申込の処理を保留にします。",
        done="保留にしました。",
        fields=("reason",),
        part="returns/_ask_reason.html",
    ),
    Step(
        action="release",
        label="保留解除",
        path="release",
        sentence="保留を解除し、処理を続けます。",
        done="保留を解除しました。",
    ),
    Step(
        action="start_contact",
        label="連絡事項入力開始",
        path="contact-entry",
        sentence="販売店への連絡事項の入力を始めます。",
        done="連絡事項の入力を始めました。",
    ),
    Step(
        action="finish_contact",
        label="連絡事項入力",
        path="contact",
        sentence="販売店への連絡事項を登録します。",
        done="連絡事項を登録しました。",
        fields=("message",),
        part="returns/_ask_message.html",
    ),
    Step(
        action="accept",
        label="受付",
        path="acceptance",
        sentence="この依頼を受け付けます。受け付けたあと、販売店は取下げ・訂正ができません。",
        done="受け付けました。",
        kind="primary",
    ),
    Step(
        action="complete",
        label="完了",
        path="completion",
        sentence="この申込の手続きを完了します。完了したあとは変更できません。",
        done="手続きが完了しました。",
        kind="primary",
    ),
)


@dataclass(frozen=True, slots=True)
class OfferedStep:
    """A step as the service offers it now: open, or closed with the reason."""

    step: Step
    enabled: bool
    reason: str

    @property
    def label(self) -> str:
        """The words on the button."""
        return self.step.label


def steps_for(person: Principal) -> tuple[Step, ...]:
    """The steps that this person's side can ever take, in the order of the buttons."""
    return TFC_STEPS if person.has(Role.TFC) else STEPS


def step_at(person: Principal, path: str) -> Step | None:
    """The step with this address."""
    return next((step for step in steps_for(person) if step.path == path), None)


def first_step(person: Principal, actions: Iterable[OfferAnswer], *, remanded: bool) -> Step | None:
    """The step that this person most likely came for: of the open ones, not 取り下げ if it can be.

    A person who may approve approves; a remanded originator corrects.
    """
    enabled = [offered.step for offered in offered_steps(person, actions) if offered.enabled]
    if remanded and CORRECT in enabled:
        return CORRECT
    primary = [step for step in enabled if step.kind == "primary"]
    harmless = [step for step in enabled if step.kind != "danger"]
    return next(iter(primary + harmless + enabled), None)


def offered_steps(person: Principal, actions: Iterable[OfferAnswer]) -> list[OfferedStep]:
    """The buttons: every step that the service mentions."""
    offers = {action["action"]: action for action in actions}
    return [
        OfferedStep(step, offers[step.action]["enabled"], offers[step.action]["reason"] or "")
        for step in steps_for(person)
        if step.action in offers
    ]
