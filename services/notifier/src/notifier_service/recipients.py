"""Who is concerned by an application, and how are they reached? The returns service knows.

Addresses never travel with events: they are asked for at the moment of sending, so that a mail
goes to the address of that day.
"""

from typing import Protocol

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from notifier_service.which_mail import Facts, Known, RoundApprover
from shared.service_token import AccessToken, TokenNotGiven


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Person(_Part):
    """One who has a part in the application; `mail` is None where no address was left."""

    mail: str | None = None


class Originator(Person):
    """The one who reported the car."""

    person_id: str
    role: str


class Approver(Person):
    """One who approved in the last complete round."""

    role: str


class Remand(_Part):
    """The last step back, with the words that came with it."""

    from_level: str
    to_level: str
    comment: str | None = None


class Application(_Part):
    """An application as its mails need it."""

    application_id: str
    dealer_id: str
    dealer_name: str | None = None
    contract_no: str
    status: str
    status_japanese: str
    status_version: int
    completion_mail: bool
    originator: Originator
    store_approver: Person | None = None
    hq_approver_mails: tuple[str, ...] = ()
    round_approvers: tuple[Approver, ...] = ()
    last_remand: Remand | None = None

    @property
    def known(self) -> Known:
        """What the choice of recipients needs of it."""
        return Known(
            status=self.status,
            status_version=self.status_version,
            completion_mail=self.completion_mail,
            originator=self.originator.mail,
            store_approver=self.store_approver.mail if self.store_approver else None,
            hq_approvers=self.hq_approver_mails,
            round_approvers=[
                RoundApprover("hq" if a.role.startswith("hq") else "store", a.mail)
                for a in self.round_approvers
            ],
        )

    def reason_of(self, facts: Facts) -> str | None:
        """The words of the very remand that a mail tells of; None if another one followed."""
        remand = self.last_remand
        if remand is None:
            return None
        same = (remand.from_level, remand.to_level) == (facts.from_level, facts.to_level)
        return remand.comment if same else None


class RecipientsOutOfReach(Exception):
    """The returns service did not answer usefully; try again later."""


class NoSuchApplication(Exception):
    """The returns service knows no such application: nobody can be written to."""


class Recipients(Protocol):
    """Where a sender asks for the people of an application."""

    async def of(self, application_id: str) -> Application:
        """The application as it is now. Raises RecipientsOutOfReach, NoSuchApplication."""
        ...


class RecipientsByHttp:
    """Asks the returns service under `url` as the service that `token` names."""

    def __init__(self, url: str, http: httpx.AsyncClient, token: AccessToken) -> None:
        self._url = url.rstrip("/")
        self._http = http
        self._token = token

    async def of(self, application_id: str) -> Application:
        """See `Recipients`."""
        path = f"/api/returns/v1/internal/applications/{application_id}/recipients"
        try:
            answer = await self._http.get(
                self._url + path,
                headers={"authorization": f"Bearer {await self._token.current()}"},
            )
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                self._token.forget()
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise NoSuchApplication(application_id)
            answer.raise_for_status()
            return Application.model_validate_json(answer.content)
        except (httpx.HTTPError, TokenNotGiven) as cause:
            raise RecipientsOutOfReach(str(cause)) from cause
        except ValidationError as wrong:
            names = [".".join(str(part) for part in e["loc"]) for e in wrong.errors()]
            raise RecipientsOutOfReach(f"the answer does not fit: {', '.join(names)}") from None
