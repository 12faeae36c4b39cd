"""Client of the services behind the portal, and the errors that their answers become.

A call carries the user's own token (the portal has no rights of its own), the request id and the
trace. A refusal becomes a `Problem` with the business reason; no answer becomes
`ServiceUnavailable`, so that a page can name the part that is missing and show the rest.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import orjson
from fastapi import Request
from starlette.responses import StreamingResponse

from portal_service.recent_answers import SharedAnswers
from portal_service.service_calls import CallFailed, ServiceAnswer, ServiceCalls, ServiceRequest
from portal_service.session import session_of
from portal_service.state import state_of
from shared import tracing
from shared.auth import Principal, StaffDeactivated

SERVICE_NAMES: Mapping[str, str] = {
    "contracts": "契約",
    "returns": "車両返却",
    "commuter": "通勤定期・経費",
    "notifier": "通知メール",
    "interchange": "販売店システム連携",
}
"""The services in the words of the screens."""

LOWEST_ERROR, LOWEST_SERVER_ERROR = 400, 500
BAD_GATEWAYS = (502, 503, 504)
UPLOAD_S = 80
"""A file is scanned and stored, each within thirty seconds, before the service answers."""
FORM_STATUSES = (409, 422)
Found = TypeVar("Found")
Body_co = TypeVar("Body_co", covariant=True)
QueryValue = str | int | bool | Sequence[str] | None


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refusal that belongs to one field of a form; `choices` are values to take instead."""

    field: str
    message: str
    code: str = ""
    choices: tuple[str, ...] = ()


class Problem(Exception):
    """A service's refusal (problem+json): what it said, ready for the screen."""

    def __init__(  # noqa: PLR0913, PLR0917  the members of problem+json
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        errors: tuple[FieldError, ...] = (),
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail or title}")
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = errors
        self.facts: Mapping[str, object] = facts or {}

    @property
    def words(self) -> str:
        """The sentence for the screen."""
        return self.detail or self.title

    @property
    def on_form(self) -> tuple[FieldError, ...]:
        """What to show on the form that was refused: beside its fields, else above all of them."""
        return self.errors or (FieldError("", self.words, self.code),)


class FormRefused(Problem):
    """A refusal that the form shows which was sent: invalid (422), or too late (409)."""


class ServiceUnavailable(Exception):
    """A service does not answer, or not in time; `part` is its name on the screen."""

    def __init__(self, service: str, why: str) -> None:
        super().__init__(f"{service}: {why}")
        self.service = service
        self.part = SERVICE_NAMES.get(service, service)


@dataclass(frozen=True, slots=True)
class ServiceResponse(Generic[Body_co]):
    """A service's answer: the parsed body, and the version to send back with a change."""

    status: int
    body: Body_co
    etag: str | None


class ServiceClient:
    """The services as one person sees them during one request."""

    def __init__(
        self,
        calls: ServiceCalls,
        *,
        token: str,
        client: str | None = None,
        changed: Callable[[], None],
        masters: SharedAnswers[Any],
    ) -> None:
        self._calls = calls
        self._masters = masters
        self._changed = changed
        self._headers = {
            "authorization": f"Bearer {token}",
            "accept": "application/json",
        } | ({"x-forwarded-for": client} if client else {})
        self.unavailable_parts: set[str] = set()
        """Parts left out of a page that does not say so itself; the frame names them."""

    async def get(
        self, service: str, path: str, query: Mapping[str, QueryValue] | None = None
    ) -> ServiceResponse[Any]:
        """Read something. Raises Problem, ServiceUnavailable.

        Empty query values are left out. The functions of `service_api` call this, and say the type
        of the body.
        """
        return await self._call(service, "GET", path, query=_query_string(query))

    async def optional(self, asked: Awaitable[Found]) -> Found | None:
        """For what a page can leave out: the answer; None where a part is missing."""
        try:
            return await asked
        except ServiceUnavailable as missing:
            self.unavailable_parts.add(missing.part)
            return None

    async def master(self, name: str, asked: Coroutine[object, None, Found]) -> Found | None:
        """Names and choices that all people of a dealer share, a little while."""
        try:
            return await self._masters.get(name, asked)
        except ServiceUnavailable as missing:
            self.unavailable_parts.add(missing.part)
            return None

    async def send(  # noqa: PLR0913  everything but the first three has a name
        self,
        service: str,
        method: str,
        path: str,
        body: object = None,
        *,
        idempotency_key: str | None = None,
        version: str | None = None,
    ) -> ServiceResponse[Any]:
        """Change something. Raises Problem, ServiceUnavailable.

        `idempotency_key` is the form's own key (a double click is one change), `version` the ETag
        of what the person saw when they decided.
        """
        headers = {"idempotency-key": idempotency_key, "if-match": version}
        try:
            return await self._call(
                service,
                method,
                path,
                body=body,
                headers={name: value for name, value in headers.items() if value},
            )
        finally:
            self._changed()

    async def upload(  # noqa: PLR0913  what a file is sent with
        self,
        service: str,
        method: str,
        path: str,
        content: bytes,
        query: Mapping[str, QueryValue] | None = None,
        *,
        version: str | None = None,
    ) -> ServiceResponse[Any]:
        """Send a file as it is; it may take long. Raises Problem, ServiceUnavailable."""
        headers = {"content-type": "application/octet-stream"}
        headers |= {"if-match": version} if version else {}
        try:
            return await self._call(
                service, method, path, query=_query_string(query), content=content, headers=headers
            )
        finally:
            self._changed()

    async def stream(
        self, service: str, path: str, query: Mapping[str, QueryValue] | None = None
    ) -> StreamingResponse:
        """A file of a service (CSV, PDF), streamed. Raises Problem, ServiceUnavailable."""
        headers = self._headers | {"accept": "*/*"}
        opened = AsyncExitStack()
        try:
            with tracing.calling("GET", service):
                headers |= tracing.call_headers()
                asked = ServiceRequest("GET", service, path, headers, _query_string(query))
                answer = await opened.enter_async_context(self._calls.stream(asked))
                if answer.status >= LOWEST_ERROR:
                    body = b"".join([part async for part in answer.parts])
                    await opened.aclose()
                    raise refusal_in(service, ServiceAnswer(answer.status, answer.headers, body))
        except CallFailed as error:
            raise ServiceUnavailable(service, str(error)) from error
        passed_on = ("content-type", "content-disposition", "content-security-policy")
        headers = {name: answer.headers[name] for name in passed_on if name in answer.headers}
        return StreamingResponse(_parts(answer.parts, opened), headers=headers)

    async def _call(  # noqa: PLR0913  what a request consists of
        self,
        service: str,
        method: str,
        path: str,
        *,
        query: str = "",
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ServiceResponse[Any]:
        headers = self._headers | dict(headers or {})
        timeout_s = None if content is None else UPLOAD_S
        if body is not None:
            content = orjson.dumps(body)
            headers["content-type"] = "application/json"
        try:
            with tracing.calling(method, service) as call:
                headers |= tracing.call_headers()
                answer = await self._calls.answer(
                    ServiceRequest(method, service, path, headers, query, content, timeout_s)
                )
                call.set_attributes({"http.response.status_code": answer.status})
                if answer.status >= LOWEST_SERVER_ERROR:
                    call.failed(str(answer.status))
        except CallFailed as error:
            raise ServiceUnavailable(service, str(error)) from error
        if answer.status >= LOWEST_ERROR:
            raise refusal_in(service, answer)
        try:
            found = orjson.loads(answer.body) if answer.body else None
        except ValueError as error:
            raise ServiceUnavailable(service, "an answer that is not JSON") from error
        return ServiceResponse(answer.status, found, answer.headers.get("etag"))


async def _parts(parts: AsyncIterator[bytes], opened: AsyncExitStack) -> AsyncIterator[bytes]:
    """The parts of a file; its connection is given back at the end, whatever the end is."""
    async with opened:
        async for part in parts:
            yield part


def _query_string(query: Mapping[str, QueryValue] | None) -> str:
    """The query, quoted: without what is empty, a list as a name several times."""
    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in (query or {}).items()
        if value not in (None, "")
    }
    return urlencode(given, doseq=True)


async def or_missing(asked: Awaitable[Found]) -> Found | ServiceUnavailable:
    """The answer, or the ServiceUnavailable to show in its place."""
    try:
        return await asked
    except ServiceUnavailable as missing:
        return missing


def refusal_in(
    service: str, answer: ServiceAnswer
) -> Problem | ServiceUnavailable | StaffDeactivated:
    """What an answer with an error status amounts to; staff who have left see no page at all."""
    if answer.status in BAD_GATEWAYS:
        return ServiceUnavailable(service, f"status {answer.status}")
    problem = problem_in(answer)
    return StaffDeactivated() if problem.code == StaffDeactivated.code else problem


def problem_in(answer: ServiceAnswer) -> Problem:
    """The Problem in a refusal; an answer without problem+json keeps its status and no words.

    A version that has changed is a conflict here: the page's own request had no If-Match.
    """
    try:
        body = orjson.loads(answer.body)
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    listed = body.get("errors")
    errors = [e for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []
    status = 409 if answer.status == 412 else answer.status  # noqa: PLR2004
    kind = FormRefused if status in FORM_STATUSES else Problem
    return kind(
        status,
        str(body.get("code") or ""),
        str(body.get("title") or ""),
        str(body.get("detail") or ""),
        tuple(_field_error(error) for error in errors),
        body["facts"] if isinstance(body.get("facts"), dict) else None,
    )


def _field_error(error: Mapping[str, object]) -> FieldError:
    """One entry of `errors`: {field | pointer, message | detail, code?}."""
    pointer = str(error.get("field") or error.get("pointer") or "")
    return FieldError(
        field=pointer.lstrip("#/").replace("/", "."),
        message=str(error.get("message") or error.get("detail") or ""),
        code=str(error.get("code") or ""),
    )


def client_of(request: Request) -> ServiceClient:
    """The services behind the portal, asked in the name of the person behind this request."""
    known: ServiceClient | None = getattr(request.state, "services", None)
    if known is None:
        known = request.state.services = _services_of(request)
    return known


def _services_of(request: Request) -> ServiceClient:
    portal = state_of(request)
    session = session_of(request)
    who: Principal | None = getattr(request.state, "principal", None)

    def changed() -> None:
        request.state.changed = True
        portal.answers.forget(who)

    return ServiceClient(
        portal.calls,
        token=session.access_token if session else "",
        client=getattr(request.state, "client", None),
        changed=changed,
        masters=SharedAnswers(
            portal.answers, who.dealer if who else None, portal.settings.names_kept_s
        ),
    )
