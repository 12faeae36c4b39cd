"""Sandbox for a dealer's developer: each message with its verdict and effects, and steps on demand.

`madoguchi sandbox` starts an installation of the developer's own. What they send is read back from
the services' databases; store, headquarters and TFC answer when the developer presses a button, by
the same actions as their screens.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.master_facts import PersonFacts
from contracts_service.queries import ContractUnknown
from interchange_service.actions.keys import make_key, use_key
from interchange_service.rules.credentials import (
    KeyExpired,
    KeyNotTrusted,
    KeyRevoked,
    WrittenKey,
)
from madoguchi.embedded.demo import Dealer
from returns_service.actions.return_steps import apply_step
from returns_service.actions.submit_return import submit_application
from returns_service.actor import Person, RequestContext
from returns_service.mapping import contract_facts
from returns_service.models import Application, Contract
from returns_service.queries import application_by_id
from returns_service.rules.return_commands import (
    Accept,
    Approve,
    Command,
    Complete,
    Remand,
    Withdraw,
)
from returns_service.rules.return_eligibility import check_eligibility
from returns_service.rules.return_form import ResultForm, ReturnForm
from returns_service.rules.return_status import Status
from returns_service.rules.return_visibility import Actor
from shared.clock import Clock, jst_day
from shared.db import EVERY_DEALER, Database
from shared.errors import Refusal
from shared.http import NotFound
from shared.roles import Role

KEY_FILE = "sandbox-key"
MOST, OFFERED = 30, 8
SUBSCRIBERS = ("contracts", "returns")
COMMENT = "サンドボックスからの差戻しです。"
EFFECTS: Mapping[str, str] = {
    "vehicle_returned": "起票画面に下書きができます。",
    "vehicle_return_cancelled": "下書きが消えます。",
    "staff_master_updated": "スタッフのプルダウンに反映されます。",
    "store_master_updated": "店舗のプルダウンに反映されます。",
    "replacement_vehicle_master_updated": "代替車種のプルダウンに反映されます。",
    "customer_change_started": "この契約の結果入力が止まります。",
    "customer_change_completed": "この契約の結果入力が再開されます。",
    "replacement_sold": "自社代替の候補として表示されます。",
}
NO_CONTRACT = (
    "契約が見つかりません（no such contract）。約1分間繰り返し、そのあとは運用者の対応を待ちます。"
)
WAITING: Mapping[str, str] = {
    "waiting": "再試行中",
    "parked": "同じキーの前のメッセージを待っています",
    "dead": "処理できませんでした",
    "skipped": "運用者が見送りました",
}
OF_STORE = (("approve", "店舗：承認する"), ("remand", "店舗：差し戻す"))
OF_HQ = (("approve", "本部：承認する"), ("remand", "本部：差し戻す"))
STEPS: Mapping[Status, Sequence[tuple[str, str]]] = {
    Status.STAFF_REMANDED: (("withdraw", "担当者：取り下げる"),),
    Status.STORE_PENDING: OF_STORE,
    Status.STORE_REMANDED: OF_STORE,
    Status.HQ_PENDING: OF_HQ,
    Status.HQ_REMANDED: OF_HQ,
    Status.REQUESTED: (("accept", "TFC：受け付ける"),),
    Status.TFC_PROCESSING: (("complete", "TFC：完了にする"), ("remand", "TFC：差し戻す")),
}
COMMANDS: Mapping[str, type[Approve | Accept | Complete | Withdraw]] = {
    "approve": Approve,
    "accept": Accept,
    "complete": Complete,
    "withdraw": Withdraw,
}
ACCEPTED = text("""
    SELECT created_at AS at, type, aggregate_id, sequence, payload::text AS payload
    FROM outbox WHERE dealer_id = :dealer AND aggregate_type = 'dealer'
    ORDER BY position DESC LIMIT :most
""")
REFUSED = text("""
    SELECT received_at AS at, reason, detail, channel, convert_from(body, 'LATIN1') AS body,
           coalesce(headers->>'ce-type', '') AS type
    FROM quarantined
    WHERE dealer_id = :dealer AND coalesce(headers->>'ce-id', '') NOT LIKE 'demo-%'
    ORDER BY received_at DESC LIMIT :most
""")
PROGRESS = text("""
    SELECT (SELECT max(next_sequence) FROM inbox_stream
            WHERE right(stream, length(:stream)) = :stream) AS next,
           (SELECT max(state) FROM inbox
            WHERE right(stream, length(:stream)) = :stream AND sequence = :sequence) AS state,
           (SELECT max(cause) FROM inbox
            WHERE right(stream, length(:stream)) = :stream AND sequence <= :sequence
              AND state <> 'skipped') AS cause
""")


@dataclass(frozen=True, slots=True)
class SandboxMessage:
    """A message as the page shows it; `effects` are what each service did with it."""

    at: datetime
    type: str
    key: str
    accepted: bool
    verdict: str
    effects: Sequence[str]
    body: str


@dataclass(frozen=True, slots=True)
class SandboxApplication:
    """A return application and what may happen to it next, each as (step, button)."""

    application_id: str
    contract_no: str
    status: str
    steps: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One dealer's sandbox on the databases of an installation."""

    databases: Mapping[str, Database]
    clock: Clock
    dealer: Dealer
    data: Path

    @property
    def key(self) -> str:
        """The dealer's key for HTTPS, as `ensure_key` stored it."""
        return (self.data / KEY_FILE).read_text(encoding="utf-8")

    async def ensure_key(self) -> None:
        """Store a key; a sandbox may show it again. One that is no longer trusted is replaced."""
        file, now = self.data / KEY_FILE, self.clock.now()
        async with self.databases["interchange"].transaction(EVERY_DEALER) as tx:
            if file.exists() and await self._trusts(tx, self.key):
                return
            made = await make_key(tx, self.dealer.code, label="sandbox", by="sandbox", now=now)
        file.touch(mode=0o600)
        file.write_text(made.token, encoding="utf-8")

    async def _trusts(self, tx: AsyncSession, token: str) -> bool:
        """Whether a stored key is valid in this database, and of this dealer."""
        try:
            key = await use_key(tx, WrittenKey.read(token), now=self.clock.now())
        except (KeyNotTrusted, KeyRevoked, KeyExpired):
            return False
        return key.dealer_id == self.dealer.code

    async def messages(self) -> list[SandboxMessage]:
        """The last messages of the dealer, the newest first."""
        of = {"dealer": self.dealer.code, "most": MOST}
        async with self.databases["interchange"].transaction(EVERY_DEALER) as tx:
            accepted = (await tx.execute(ACCEPTED, of)).mappings().all()
            refused = (await tx.execute(REFUSED, of)).mappings().all()
        found = [await self._accepted(row) for row in accepted]
        found += [_refused(row) for row in refused]
        return sorted(found, key=lambda message: message.at, reverse=True)[:MOST]

    async def _accepted(self, row: RowMapping) -> SandboxMessage:
        name = str(row["type"]).split(".")[1]
        progress = [await self._progress(service, row) for service in SUBSCRIBERS]
        return SandboxMessage(
            at=row["at"],
            type=row["type"],
            key=str(row["aggregate_id"]).removeprefix(f"{self.dealer.code}-"),
            accepted=True,
            verdict="受付済み",
            effects=[EFFECTS[name], *progress],
            body=json.dumps(json.loads(row["payload"]), ensure_ascii=False, indent=1),
        )

    async def _progress(self, service: str, row: RowMapping) -> str:
        """How far a service is with an event."""
        asked = {"stream": f"/dealer/{row['aggregate_id']}", "sequence": row["sequence"]}
        async with self.databases[service].transaction(EVERY_DEALER) as tx:
            found = (await tx.execute(PROGRESS, asked)).mappings().one()
        if found["state"]:
            return f"{service}: {_held_up(found['state'], found['cause'])}"
        done = (found["next"] or 0) > row["sequence"]
        return f"{service}: {'処理済み' if done else '配信中'}"

    async def applications(self) -> list[SandboxApplication]:
        """The dealer's last applications, those that wait for somebody first."""
        own = select(Application).where(Application.dealer_id == self.dealer.code)
        newest = own.order_by(Application.is_past, Application.updated_at.desc()).limit(MOST)
        async with self.databases["returns"].transaction(self.dealer.code) as tx:
            found = (await tx.scalars(newest)).all()
            return [
                SandboxApplication(
                    one.application_id,
                    one.contract_no,
                    Status(one.status).label_ja,
                    steps_from(Status(one.status)),
                )
                for one in found
            ]

    async def contracts(self) -> list[str]:
        """Contracts that may be reported as returned, the nearest to their last day first."""
        today = jst_day(self.clock.now())
        busy = select(Application.contract_no).where(Application.dealer_id == self.dealer.code)
        near = select(Contract).where(
            Contract.dealer_id == self.dealer.code,
            Contract.staff_code.is_not(None),
            Contract.final_on.between(today - timedelta(days=30), today + timedelta(days=180)),
            Contract.contract_no.not_in(busy),
        )
        async with self.databases["returns"].transaction(self.dealer.code) as tx:
            found = (await tx.scalars(near.order_by(Contract.final_on).limit(10 * OFFERED))).all()
        return [one.contract_no for one in found if _may_be_returned(one)][:OFFERED]

    async def submit(self, contract_no: str) -> str:
        """Submit a return as the assigned staff member. Raises a refusal."""
        async with self.databases["returns"].transaction(self.dealer.code) as tx:
            contract = await tx.get(Contract, contract_no)
            if contract is None or contract.dealer_id != self.dealer.code:
                raise NotFound
            store = contract.store_code
            code = contract.staff_code or self._person(Role.SALES, store).code
            who = next((one for one in self.dealer.staff if one.code == code), None)
            sender = self._as(who or self._person(Role.SALES, store))
            phone = next(one.phone for one in self.dealer.stores if one.code == store)
            today = jst_day(self.clock.now()).isoformat()
            form = ReturnForm(contact_1=phone, result=ResultForm(received_on=today))
            done = await submit_application(self._context(tx, sender), contract_no, form)
            return done.step.application.application_id

    async def take(self, application_id: str, step: str) -> None:
        """Take the step of the store, of headquarters or of TFC. Raises a refusal."""
        async with self.databases["returns"].transaction(self.dealer.code) as tx:
            found = await application_by_id(tx, application_id)
            if found is None or found.dealer_id != self.dealer.code:
                raise NotFound
            status = Status(found.status)
            if step not in {name for name, _ in steps_from(status)}:
                raise NotFound
            who = self._actor(found, status, step)
            await apply_step(self._context(tx, who), application_id, command(step, found.version))

    def _actor(self, found: Application, status: Status, step: str) -> Person:
        if step == "withdraw":
            code = found.originator_id.removeprefix(f"{self.dealer.code}-")
            return self._as(next(one for one in self.dealer.staff if one.code == code))
        if status in {Status.STORE_PENDING, Status.STORE_REMANDED}:
            return self._as(self._person(Role.MANAGER, found.store_code))
        if status in {Status.HQ_PENDING, Status.HQ_REMANDED}:
            return self._as(self._person(Role.HQ, None))
        return Person("TFC", None, (Actor("TFC-SANDBOX", Role.TFC),))

    def _person(self, role: Role, store: str | None) -> PersonFacts:
        own = (one for one in self.dealer.staff if one.role is role and one.store_code == store)
        return next(own)

    def _as(self, person: PersonFacts) -> Person:
        code = self.dealer.code
        actor = Actor(f"{code}-{person.code}", person.role, code, person.store_code)
        return Person(person.name, person.mail, (actor,))

    def _context(self, tx: AsyncSession, who: Person) -> RequestContext:
        return RequestContext(tx, self.clock.now(), who)


def steps_from(status: Status) -> Sequence[tuple[str, str]]:
    """The steps that the page offers in a status, each with the text of its button."""
    return STEPS.get(status, ())


def command(step: str, version: int) -> Command:
    """The command of a button."""
    if step == "remand":
        return Remand(expected_version=version, comment=COMMENT)
    return COMMANDS[step](expected_version=version)


def _held_up(state: str, cause: str | None) -> str:
    """Why an event has no effect yet; its own cause, or that of the one that it waits for."""
    if cause is None:
        return "配信中" if state == "waiting" else WAITING[state]
    if cause.startswith(ContractUnknown.__name__) and state != "skipped":
        return NO_CONTRACT
    return f"{WAITING[state]}（{cause}）"


def _may_be_returned(contract: Contract) -> bool:
    try:
        check_eligibility(contract_facts(contract), ())
    except Refusal:
        return False
    return True


def _refused(row: RowMapping) -> SandboxMessage:
    body = str(row["body"]).encode("latin-1").decode("utf-8", "replace")
    return SandboxMessage(
        at=row["at"],
        type=row["type"] or _type_in(body),
        key="",
        accepted=False,
        verdict=row["reason"],
        effects=[row["detail"]] if row["detail"] else [],
        body=body,
    )


def _type_in(body: str) -> str:
    """The type of an event in structured mode, as far as it can be read."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    return str(found.get("type") or "") if isinstance(found, dict) else ""
