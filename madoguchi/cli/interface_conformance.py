"""Interface conformance: `madoguchi conformance` checks a test system against the documentation.

For developers of dealers' systems: it sends every type of event, valid and with each documented
fault, compares every response with docs/integration.md, and exits with 1 if one differs.
`--check FILE` validates a message of your own without network access.
The messages have fresh ids and keys that begin with TEST-, and remain in the tested system.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from madoguchi.cli.failures import ExitCode
from madoguchi.cli.options import AsJson, single
from madoguchi.cli.output import print_json, print_line

if TYPE_CHECKING:
    import httpx

    from madoguchi.cli.interface_conformance_cases import Case


@dataclass(frozen=True, slots=True)
class System:
    """The tested system, with one dealer's credentials."""

    http: httpx.AsyncClient
    key: str
    dealer: str

    async def answer(self, case: Case) -> str:
        """The response to a message, in the format of `Case.expected`.

        Raises httpx.ConnectError where nobody listens: then no other case would say more.
        """
        import httpx

        from interchange_service.rules.cloud_event import STRUCTURED
        from madoguchi.cli.interface_conformance_cases import NO_KEY

        headers = {} if case.key == NO_KEY else {"authorization": f"Bearer {case.key or self.key}"}
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
            except httpx.ConnectError:
                raise
            except httpx.HTTPError as error:
                return f"{type(error).__name__}"
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return _words(answer)
            await asyncio.sleep(int(answer.headers.get("retry-after", "1")))
        return "429"


def _words(answer: httpx.Response) -> str:
    import httpx

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
    import httpx

    from madoguchi.cli.interface_conformance_cases import cases

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of an offline check: `faults` are warnings where the message is accepted."""

    accepted: bool
    summary: str
    faults: list[str]


def checked(content: bytes, dealer: str | None, now: datetime, *, english: bool) -> Verdict:
    """Whether a message in structured mode would be accepted, and what to look at."""
    from interchange_service.dealer_messages import judge
    from interchange_service.rules.cloud_event import STRUCTURED
    from interchange_service.rules.message_checks import InboundMessage, NotAccepted

    if dealer is None:  # then of the one that it names itself
        try:
            dealer = str(json.loads(content)["data"]["dealer_id"])
        except (ValueError, LookupError, TypeError):
            dealer = "-"
    arrival = InboundMessage("https", dealer, dealer, "", {}, STRUCTURED, content)
    try:
        accepted = judge(arrival, now=now)
    except NotAccepted as refusal:
        title = refusal.english if english else refusal.message
        return Verdict(
            accepted=False,
            summary=f"{refusal.reason.value}: {title}",
            faults=[fault.in_language(english=english) for fault in refusal.faults],
        )
    words = "unknown, will be ignored; is it misspelt?" if english else "未知の項目。無視されます"
    return Verdict(
        accepted=True,
        summary=f"{accepted.event.wire_type} {accepted.event.aggregate_id}",
        faults=[f"data.{name}: {words}" for name in accepted.ignored],
    )


conformance = single()


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
    as_json: AsJson = False,
) -> None:
    """Check a test system, or one message, against the documentation."""
    if check is not None:
        verdict = checked(check.read_bytes(), dealer, datetime.now(UTC), english=english)
        _print_check(verdict, english=english, as_json=as_json)
    if url is None or key is None or dealer is None:
        raise typer.BadParameter("give --url, --key and --dealer, or --check FILE")
    lines = asyncio.run(try_out(url, key, dealer, amqp))
    different = [line for line in lines if line.got != line.expected]
    if as_json:
        print_json({"cases": lines, "different": len(different)})
    else:
        _print_report(lines, len(different), english=english)
    raise typer.Exit(ExitCode.REFUSED if different else ExitCode.DONE)


def _print_report(lines: list[Line], different: int, *, english: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from madoguchi.cli.interface_conformance_cases import NOT_TRIED

    heads = ("case", "documented", "answered", "") if english else ("確認", "文書", "応答", "")
    table = Table(*heads)
    for line in lines:
        good = line.got == line.expected
        mark = "[green]OK[/green]" if good else "[red]NG[/red]"
        table.add_row(line.english if english else line.name, line.expected, line.got, mark)
    console = Console()
    Console(width=max(console.width, 110)).print(table)
    words = "as documented" if english else "文書のとおり"
    print_line(f"{len(lines) - different} / {len(lines)} {words}")
    untried = ", ".join(NOT_TRIED)
    print_line(f"{'not tried' if english else '試していないもの'}: {untried}")


def _print_check(verdict: Verdict, *, english: bool, as_json: bool) -> NoReturn:
    label_ja = "受け付けられます" if verdict.accepted else "受け付けられません"
    label = ("accepted" if verdict.accepted else "refused") if english else label_ja
    mark = ("warning" if english else "注意") if verdict.accepted else "-"
    if as_json:
        print_json(verdict)
    else:
        for line in (f"{label}: {verdict.summary}", *(f"  {mark} {f}" for f in verdict.faults)):
            print_line(line)
    raise typer.Exit(ExitCode.DONE if verdict.accepted else ExitCode.REFUSED)
