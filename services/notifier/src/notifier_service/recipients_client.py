"""Client of the returns and commuter services: the recipients of a mail, at the time of sending.

Events carry no addresses: they are asked for when a mail is sent, so that it goes to the address
of that day. The answers are validated by models generated from the services' documents.
"""

from dataclasses import replace
from typing import Protocol, TypeVar, cast

import httpx
from pydantic import BaseModel, ValidationError

from notifier_service.rules.recipients import (
    SLIP_MAILS_TO_APPLICANT,
    SLIP_MAILS_TO_APPROVER,
    Facts,
    RecipientRole,
    ReturnSnapshot,
    RoundApprover,
)
from notifier_service.rules.slip_mails import declined_mails
from notifier_service.service_api import commuter, returns
from shared import tracing
from shared.service_token import AccessToken, TokenUnavailable

Answer = TypeVar("Answer", bound=BaseModel)
Remand = returns.RemandAnswer


NO_RETURN = ReturnSnapshot(
    status="",
    status_version=0,
    completion_mail=False,
    originator=None,
    store_approver=None,
    hq_approvers=(),
    round_approvers=(),
)
"""What mails about passes, slips and months know of a return: nothing."""


class _Person(Protocol):
    """A person of an answer."""

    @property
    def left(self) -> bool | None:
        """Whether they have left the dealer."""
        ...


def _roles_left(**people: _Person | None) -> frozenset[RecipientRole]:
    """The roles whose holder has left (D158)."""
    return frozenset(
        cast("RecipientRole", role) for role, person in people.items() if person and person.left
    )


class Application(returns.RecipientsAnswer, frozen=True):
    """An application as its mails need it."""

    @property
    def known(self) -> ReturnSnapshot:
        """The facts that the choice of recipients needs."""
        return ReturnSnapshot(
            status=self.status,
            status_version=self.status_version,
            completion_mail=self.completion_mail,
            originator=self.originator.mail,
            store_approver=self.store_approver.mail if self.store_approver else None,
            hq_approvers=self.hq_approver_mails,
            round_approvers=[
                RoundApprover("hq" if a.role.startswith("hq") else "store", a.mail, a.left)
                for a in self.round_approvers
            ],
            store_notice=self.store_approver_notice,
            store_approvers=self.store_approver_mails,
            left=_roles_left(originator=self.originator, store_approver=self.store_approver),
        )

    def remand_of(self, facts: Facts) -> Remand | None:
        """The remand that a mail reports; None if another one followed."""
        remand = self.last_remand
        if remand is None:
            return None
        same = (remand.from_level, remand.to_level) == (facts.from_level, facts.to_level)
        return remand if same else None


class CommuterPass(commuter.Recipients, frozen=True):
    """A commuter pass as its mails need it: applicant, administrators, and why it came back."""

    @property
    def known(self) -> ReturnSnapshot:
        """The facts that the choice of recipients needs."""
        return replace(
            NO_RETURN,
            applicant=self.applicant_mail,
            administrators=self.administrator_mails,
            left=frozenset({"applicant"} if self.applicant_left else ()),
        )


class Slip(commuter.SlipRecipients, frozen=True):
    """A slip as its mails need it, with the step that they report."""

    @property
    def known(self) -> ReturnSnapshot:
        """The facts that the choice of recipients needs.

        Wishes are kept by the person: a mail to the approver asks the approver's.
        """
        declined = declined_mails(self.applicant.declined) & SLIP_MAILS_TO_APPLICANT
        if self.approver:
            declined |= declined_mails(self.approver.declined) & SLIP_MAILS_TO_APPROVER
        return replace(
            NO_RETURN,
            applicant=self.applicant.mail,
            approver=self.approver.mail if self.approver else None,
            declined=declined,
            moved_on=not self.is_latest,
            left=_roles_left(applicant=self.applicant, approver=self.approver),
        )


class SubmissionRequest(commuter.SubmissionRecipient, frozen=True):
    """An employee with their unsubmitted slips of a month, as the request to submit needs them."""

    @property
    def known(self) -> ReturnSnapshot:
        """The facts that the choice of recipients needs."""
        return replace(
            NO_RETURN,
            applicant=self.mail,
            moved_on=self.unsubmitted == 0,
            left=frozenset({"applicant"} if self.left else ()),
        )


class PassEnd(commuter.EndingRecipient, frozen=True):
    """A pass that ends, with its holder, as the reminder needs it."""

    @property
    def known(self) -> ReturnSnapshot:
        """The facts that the choice of recipients needs."""
        return replace(
            NO_RETURN,
            applicant=self.holder.mail,
            declined=declined_mails(self.holder.declined),
            moved_on=not self.ends,
            left=_roles_left(applicant=self.holder),
        )


class RecipientsUnavailable(Exception):
    """The returns service gave no usable answer; try again later."""


class NoSuchApplication(Exception):
    """The returns service has no such application: there are no recipients."""


class RecipientSource(Protocol):
    """Source of the recipients of an application."""

    async def of(self, application_id: str) -> Application:
        """The application as it is now. Raises RecipientsUnavailable, NoSuchApplication."""
        ...

    async def of_pass(self, pass_id: str) -> CommuterPass:
        """The commuter pass as it is now. Raises as `of`."""
        ...

    async def of_slip(self, slip_id: str, move_id: str) -> Slip:
        """The slip as it is now, with one of its steps. Raises as `of`."""
        ...

    async def of_month(self, employee_id: str, month: str) -> SubmissionRequest:
        """The employee with their unsubmitted slips of a month as of now. Raises as `of`."""
        ...

    async def of_ending(self, pass_id: str, ends_on: str) -> PassEnd:
        """The holder of a pass, and whether it still ends on the day. Raises as `of`."""
        ...


class ReturnsClient:
    """Asks the returns service at `url`, and the commuter service, with the access token."""

    def __init__(
        self, url: str, http: httpx.AsyncClient, token: AccessToken, *, commuter_url: str
    ) -> None:
        self._url = url.rstrip("/")
        self._commuter_url = commuter_url.rstrip("/")
        self._http = http
        self._token = token

    async def of(self, application_id: str) -> Application:
        """See `RecipientSource`."""
        path = f"/api/returns/v1/internal/applications/{application_id}/recipients"
        with tracing.calling("GET", "returns"):
            return await self._ask(self._url + path, application_id, Application)

    async def of_pass(self, pass_id: str) -> CommuterPass:
        """See `RecipientSource`."""
        path = f"/api/commuter/v1/internal/passes/{pass_id}/recipients"
        with tracing.calling("GET", "commuter"):
            return await self._ask(self._commuter_url + path, pass_id, CommuterPass)

    async def of_slip(self, slip_id: str, move_id: str) -> Slip:
        """See `RecipientSource`."""
        path = f"/api/commuter/v1/internal/slips/{slip_id}/moves/{move_id}/recipients"
        with tracing.calling("GET", "commuter"):
            return await self._ask(self._commuter_url + path, slip_id, Slip)

    async def of_month(self, employee_id: str, month: str) -> SubmissionRequest:
        """See `RecipientSource`."""
        path = f"/api/commuter/v1/internal/employees/{employee_id}/months/{month}/recipients"
        with tracing.calling("GET", "commuter"):
            return await self._ask(self._commuter_url + path, employee_id, SubmissionRequest)

    async def of_ending(self, pass_id: str, ends_on: str) -> PassEnd:
        """See `RecipientSource`."""
        path = f"/api/commuter/v1/internal/passes/{pass_id}/endings/{ends_on}/recipients"
        with tracing.calling("GET", "commuter"):
            return await self._ask(self._commuter_url + path, pass_id, PassEnd)

    async def _ask(self, url: str, subject_id: str, kind: type[Answer]) -> Answer:
        try:
            headers = {"authorization": f"Bearer {await self._token.current()}"}
            answer = await self._http.get(url, headers=headers | tracing.call_headers())
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                self._token.discard()
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise NoSuchApplication(subject_id)
            answer.raise_for_status()
            return kind.model_validate_json(answer.content)
        except (httpx.HTTPError, TokenUnavailable) as cause:
            raise RecipientsUnavailable(str(cause)) from cause
        except ValidationError as wrong:
            names = [".".join(str(part) for part in e["loc"]) for e in wrong.errors()]
            raise RecipientsUnavailable(f"the answer does not fit: {', '.join(names)}") from None
