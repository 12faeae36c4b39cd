"""Interface conformance: `madoguchi conformance` checks a test system against the documentation.

For developers of dealers' systems: it sends every type of event, valid and with each documented
fault, compares every response with docs/integration.md, and exits with 1 if one differs.
`--check FILE` validates a message of your own without network access.
The messages have fresh ids and keys that begin with TEST-, and remain in the tested system.
"""

import asyncio
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from event_contracts import EVENTS, EXAMPLES
from event_contracts.dealer import DealerEvent
from interchange_service.dealer_messages import judge
from interchange_service.rules.message_checks import (
    CLOCK_AHEAD,
    LARGEST_BODY,
    MESSAGES,
    OLDEST,
    InboundMessage,
    NotAccepted,
    Reason,
)

STRUCTURED = "application/cloudevents+json"
TYPES = {name: model for name, model in EVENTS.items() if issubclass(model, DealerEvent)}
RETURNED = "dealer.vehicle_returned.v1"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to send: its CloudEvents attributes and data."""

    attributes: Mapping[str, str]
    data: Mapping[str, object]

    def having(
        self, attributes: Mapping[str, str | None] | None = None, **data: object
    ) -> "Message":
        """A copy with other attributes or fields; None removes one."""
        return Message(
            {k: v for k, v in {**self.attributes, **(attributes or {})}.items() if v is not None},
            {k: v for k, v in {**self.data, **data}.items() if v is not None},
        )

    def structured(self) -> bytes:
        """The message in structured mode, as JSON."""
        whole = {**self.attributes, "datacontenttype": "application/json", "data": self.data}
        return json.dumps(whole, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Case:
    """One message with its documented response."""

    name: str
    english: str
    message: Message
    expected: str
    dealer: str = ""
    key: str = ""
    structured: bool = False


def fresh(wire_type: str, dealer: str, now: datetime) -> Message:
    """The committed example of a type, with unused ids."""
    model, unique = TYPES[wire_type], f"TEST-{secrets.token_hex(6)}"
    data = json.loads((EXAMPLES / f"{wire_type}.1.json").read_text(encoding="utf-8"))
    data = data | {"dealer_id": dealer, model.aggregate_key: unique}
    attributes = {
        "specversion": "1.0",
        "id": unique,
        "source": f"/dealers/{dealer}/conformance",
        "type": wire_type,
        "time": now.isoformat(),
    }
    return Message(attributes, data)


def cases(dealer: str, now: datetime) -> Iterator[Case]:
    """Every case; a repeated message follows its original."""
    for wire_type, model in TYPES.items():
        good = fresh(wire_type, dealer, now)
        yield Case(f"{wire_type} 正しい", f"{wire_type} valid", good, "202 repeated=false")
        yield Case("　同じものを再送", "  sent again", good, "202 repeated=true")
        other = fresh(wire_type, dealer, now).having(dealer_id=f"{dealer}X")
        yield Case("　data が別の販売店", "  data of another dealer", other,
                   "422 PAYLOAD_OF_ANOTHER")  # fmt: skip
        lacking = fresh(wire_type, dealer, now).having(**{model.aggregate_key: None})
        yield Case("　必須項目がない", "  a required field is missing", lacking,
                   "422 PAYLOAD_DOES_NOT_FIT")  # fmt: skip
    yield from _mistakes(dealer, now)


def _mistakes(dealer: str, now: datetime) -> Iterator[Case]:
    def new(attributes: Mapping[str, str | None] | None = None, **data: object) -> Message:
        return fresh(RETURNED, dealer, now).having(attributes, **data)

    ahead = (now + CLOCK_AHEAD + timedelta(minutes=1)).isoformat()
    old = (now - OLDEST - timedelta(minutes=1)).isoformat()
    used = new()
    yield Case("構造化モード", "structured mode", used, "202 repeated=false", structured=True)
    yield Case("同じ id で別の内容", "the same id, another content", used.having(place="X"),
               "409 MESSAGE_ID_REUSED")  # fmt: skip
    yield Case("知らない type", "unknown type", new({"type": "dealer.nothing.v1"}),
               "422 TYPE_NOT_ALLOWED")  # fmt: skip
    yield Case("こちらの type", "a type that dealers may not send",
               new({"type": "return.completed.v1"}), "422 TYPE_NOT_ALLOWED")  # fmt: skip
    yield Case("time がない", "no time", new({"time": None}), "422 TIME_MISSING")
    yield Case("time が未来", "time in the future", new({"time": ahead}), "422 TIME_AHEAD")
    yield Case("time が古い", "time too old", new({"time": old}), "422 TIME_TOO_OLD")
    yield Case("id がない", "no id", new({"id": None}), "422 NOT_A_CLOUD_EVENT")
    yield Case("制御文字", "a control character", new(place="a\tb"), "422 TEXT_NOT_ALLOWED")
    yield Case("大きすぎる", "too large", new(place="x" * LARGEST_BODY), "413 TOO_LARGE")
    yield Case("別の販売店の宛先", "the path of another dealer", new(), "403 ADDRESS_OF_ANOTHER",
               dealer=f"{dealer}X")  # fmt: skip
    yield Case("知らないキー", "an unknown key", new(), "401 KEY_NOT_TRUSTED",
               key="mdk_0000000000000000_x")  # fmt: skip


@dataclass(frozen=True, slots=True)
class System:
    """The tested system, with one dealer's credentials."""

    http: httpx.AsyncClient
    key: str
    dealer: str

    async def answer(self, case: Case) -> str:
        """The response to a message, in the format of `Case.expected`."""
        headers = {"authorization": f"Bearer {case.key or self.key}"}
        if case.structured:
            headers["content-type"], body = STRUCTURED, case.message.structured()
        else:
            headers["content-type"] = "application/json"
            headers |= {f"ce-{name}": value for name, value in case.message.attributes.items()}
            body = json.dumps(case.message.data, ensure_ascii=False).encode()
        path = f"/api/interchange/v1/dealers/{case.dealer or self.dealer}/events"
        for _ in range(3):
            try:
                answer = await self.http.post(path, content=body, headers=headers)
            except httpx.HTTPError as error:
                return f"{type(error).__name__}"
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return _words(answer)
            await asyncio.sleep(int(answer.headers.get("retry-after", "1")))
        return "429"


def _words(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if answer.status_code == httpx.codes.ACCEPTED:
        return f"202 repeated={str(body.get('repeated')).lower()}"
    return f"{answer.status_code} {body.get('code', '')}".strip()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report."""

    name: str
    english: str
    expected: str
    got: str


async def try_out(url: str, key: str, dealer: str, amqp: str | None) -> list[Line]:
    """Send every case in order, and collect the responses."""
    lines = []
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        system = System(http, key, dealer)
        for case in cases(dealer, datetime.now(UTC)):
            got = await system.answer(case)
            lines.append(Line(case.name, case.english, case.expected, got))
        if amqp is not None:
            from madoguchi.cli.interface_conformance_amqp import try_amqp

            lines += await try_amqp(amqp, system)
    return lines


def checked(content: bytes, dealer: str | None, now: datetime) -> tuple[bool, str]:
    """Whether a message in structured mode would be accepted, and the reason if not."""
    if dealer is None:  # then of the one that it names itself
        try:
            dealer = str(json.loads(content)["data"]["dealer_id"])
        except (ValueError, LookupError, TypeError):
            dealer = "-"
    arrival = InboundMessage("https", dealer, dealer, "", {}, STRUCTURED, content)
    try:
        accepted = judge(arrival, now=now)
    except NotAccepted as refusal:
        detail = f" ({refusal.detail})" if refusal.detail else ""
        return False, f"{refusal.reason.value}: {MESSAGES[Reason(refusal.reason)]}{detail}"
    return True, f"{accepted.event.wire_type} {accepted.event.aggregate_id}"


conformance = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
console = Console()


@conformance.command(help=__doc__)
def run(  # noqa: PLR0913 - every flag is an argument
    url: Annotated[str | None, typer.Option(help="https://..., of a test system")] = None,
    key: Annotated[str | None, typer.Option(envvar="MADOGUCHI_KEY", help="mdk_...")] = None,
    dealer: Annotated[str | None, typer.Option(help="the key's dealer, D01 for example")] = None,
    amqp: Annotated[
        str | None, typer.Option(help="amqps://user:password@host/: test AMQP as well")
    ] = None,
    check: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    *,
    english: Annotated[bool, typer.Option("--english", help="the report in English")] = False,
) -> None:
    """Check a test system, or one message, against the documentation."""
    if check is not None:
        accepted, words = checked(check.read_bytes(), dealer, datetime.now(UTC))
        label_ja = "受け付けられます" if accepted else "受け付けられません"
        verdict = ("accepted" if accepted else "refused") if english else label_ja
        console.print(f"{verdict}: {words}", soft_wrap=True, markup=False, highlight=False)
        raise typer.Exit(0 if accepted else 1)
    if url is None or key is None or dealer is None:
        raise typer.BadParameter("give --url, --key and --dealer, or --check FILE")
    lines = asyncio.run(try_out(url, key, dealer, amqp))
    different = [line for line in lines if line.got != line.expected]
    heads = ("case", "documented", "answered", "") if english else ("確認", "文書", "応答", "")
    table = Table(*heads)
    for line in lines:
        good = line.got == line.expected
        mark = "[green]OK[/green]" if good else "[red]NG[/red]"
        table.add_row(line.english if english else line.name, line.expected, line.got, mark)
    Console(width=max(console.width, 110)).print(table)
    words = "as documented" if english else "文書のとおり"
    console.print(f"{len(lines) - len(different)} / {len(lines)} {words}")
    raise typer.Exit(1 if different else 0)
