"""Request bodies: forms and the fields of each step, as JSON.

Fields that a form does not have are ignored: the contract is shown, never sent (D88).
"""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from returns_service.rules.return_form import ResultForm, ReturnForm

_LINE = 1_000
_TEXT = 10_000
_MOST_ITEMS = 100

Code = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""An id or a number as a person or a program typed it: no control characters."""


class ResultBody(BaseModel):
    """③車両返却情報 as typed: RETURNED with the day of receipt, or UNRETURNED with a reason."""

    kind: str = Field("RETURNED", max_length=_LINE, examples=["RETURNED", "UNRETURNED"])
    received_on: str | None = Field(
        None, max_length=_LINE, description="ISO date", examples=["2025-07-14"]
    )
    unreturned_reason: str | None = Field(None, max_length=_LINE)

    def result_form(self) -> ResultForm:
        """The same as a value of the rules."""
        return ResultForm(self.kind, self.received_on, self.unreturned_reason)


class FormBody(ResultBody):
    """起票画面 as typed: contacts 1 to 3, the box for the completion mail, and ③."""

    contact_1: str | None = Field(None, max_length=_LINE, examples=["03-0010-1000"])
    contact_2: str | None = Field(None, max_length=_LINE, examples=["090-0000-0001"])
    contact_3: str | None = Field(None, max_length=_LINE)
    completion_mail: bool = True

    def form(self) -> ReturnForm:
        """The same as a value of the rules."""
        return ReturnForm(
            self.contact_1,
            self.contact_2,
            self.contact_3,
            self.completion_mail,
            self.result_form(),
        )


class SubmissionBody(FormBody):
    """A form for one contract."""

    contract_no: Code


class ApprovalBody(BaseModel):
    """承認: what the approver overwrites, and the 連絡先3 that a store approver leaves.

    Where `contact_3` is not sent at all, the mail address of the approver's profile is kept.
    """

    overwrite: ResultBody | None = None
    contact_3: str | None = Field(None, max_length=_LINE)


class RemandBody(BaseModel):
    """差戻し: a comment, and for the HQ approver 貴社連絡欄."""

    comment: str | None = Field(None, max_length=_TEXT)
    dealer_note: str | None = Field(None, max_length=_TEXT)


class TakeOverBody(BaseModel):
    """引継ぎ: the new originator, and their mail address (連絡先3)."""

    new_originator_id: Code
    contact_3: str | None = Field(None, max_length=_LINE)


class DealerNoteBody(BaseModel):
    """貴社連絡欄; blank empties it."""

    dealer_note: str = Field(max_length=_TEXT)


class ReasonBody(BaseModel):
    """Why TFC holds or remands."""

    reason: str = Field("", max_length=_TEXT)


class MessageBody(BaseModel):
    """連絡事項 of TFC."""

    message: str = Field("", max_length=_TEXT)


class FlowBody(BaseModel):
    """Which levels approve, where headquarters gets its mails; blank lines are left out."""

    store_approval: bool
    hq_approval: bool
    hq_mails: list[Annotated[str, Field(max_length=_LINE)]] = Field(default=[], max_length=100)
    store_approver_notice: bool = False


class SubstituteBody(BaseModel):
    """Who approves in whose place, on which JST days, both included.

    What is required may be missing, so that the answer names everything that is wrong at once.
    """

    approver_id: Code | None = None
    substitute_id: Code | None = None
    from_on: date | None = None
    to_on: date | None = None


class BulkItem(BaseModel):
    """An application with the version that the approver saw."""

    application_id: Code
    version: int = Field(ge=0, lt=2**31)


class BulkBody(BaseModel):
    """At most 100 applications."""

    items: list[BulkItem] = Field(min_length=1, max_length=_MOST_ITEMS)
