"""Odd inputs in every field of every form: accepted, or refused beside the field and kept."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from shared.auth import Principal, Role
from shared.testing.databases import TestDatabases
from shared.testing.people import SATO, YAMADA

from . import commuter_stack as expense_people
from . import portal_stack as counter_people
from .commuter_stack import CommuterStack, open_commuter_stack
from .odd_inputs import TEXTS, Form, Page
from .portal_stack import PortalStack, PortalUser
from .test_return_journey import report, take

Stack = PortalStack | CommuterStack
NOT_FOLLOWED = re.compile(r"/(auth|static|mailbox|clock)\b|\.(csv|xlsx|pdf)\b")
ONE_STEP = re.compile(r"/returns/[^/]+/(?!correction|overwriting|sent)[^/]+$")
STEP_OF_A_PASS = re.compile(r"/commuter/passes/[^/]+/rejection$")
"""Taken once, where another step may have been taken before: it has a test of its own."""
FURTHER_ROW = re.compile(r"\.[1-9]$|-(?!C1001)C\d+$")
JAPANESE = re.compile(r"[ぁ-ん]")
ENGLISH = re.compile(r"[a-z]{3,} [a-z]{2,}")
FORM_REFUSED = 422
NOT_IN_THIS_STACK = 503
"""The page of a service that the stack does not have."""
STEP_TEXTS = (
    *("blanks", "NUL", "escape and bell", "bidi controls", "emoji joined", "private use"),
    *("noncharacter", "very long", "HTML", "two lines", "two ats", "full-width address"),
)


@dataclass
class OddInputs:
    """Sends each odd text in each field; `wrong` collects what a person would be puzzled by.

    In one request every field of a form has a different odd text; `singly`: one field at a time.
    """

    user: PortalUser
    seen_forms: set[str]
    singly: bool = False
    sent: int = 0
    wrong: list[str] = field(default_factory=list)

    async def walk(self, *starts: str) -> None:
        """Every form of every kind of page that links lead to."""
        waiting, seen_pages = [*starts], set[str]()
        while waiting:
            path = waiting.pop(0)
            if _kind(path) in seen_pages:
                continue
            seen_pages.add(_kind(path))
            html = (await self.user.visit(path)).html
            waiting += [link for link in _links(html) if not ONE_STEP.search(link)]
            for form in Page(html).forms:
                known = f"{form.method} {_kind(form.action)} {sorted(form.typed)}"
                if STEP_OF_A_PASS.match(form.action):
                    continue
                if form.typed and known not in self.seen_forms:
                    self.seen_forms.add(known)
                    await self.try_form(path, form)

    async def try_form(self, path: str, form: Form) -> None:
        form = await self._again(path, form) or form  # another form may have changed the record
        names = [name for name in form.typed if not FURTHER_ROW.search(name)]
        for odd in one_by_one(names) if self.singly else in_turn(names):
            if await self._send(form, odd):
                again = await self._again(path, form)
                if again is None:  # a step is taken once
                    return
                form = again

    async def _send(self, form: Form, odd: dict[str, str]) -> bool:
        """Whether something was registered: the form must be read again."""
        http = self.user.browser.http
        fields = form.fields | {name: [text] for name, text in odd.items()}
        if form.method == "post":
            reply = await http.post(form.action, data=fields | {"once": [str(uuid4())]})
        else:
            reply = await http.get(form.action, params=fields)
        if reply.status_code == NOT_IN_THIS_STACK:
            return False
        self.sent += len(odd)
        if reply.is_redirect:
            return form.method == "post"
        faults = list(faults_of(reply.status_code, reply.text, odd))
        self.wrong += [f"{form.method} {form.action} {odd!r:.300}: {fault}" for fault in faults]
        return False

    async def _again(self, path: str, form: Form) -> Form | None:
        await self.user.visit(path)
        found = (one for one in Page(self.user.html).forms if one.action == form.action)
        return next((one for one in found if set(form.typed) <= set(one.typed)), None)


def in_turn(names: list[str]) -> Iterator[dict[str, str]]:
    """Each text in each field, in as many requests as there are texts."""
    texts = list(TEXTS.values())
    for first in range(len(texts)):
        yield {name: texts[(first + n) % len(texts)] for n, name in enumerate(names)}


def one_by_one(names: list[str]) -> Iterator[dict[str, str]]:
    """Each text in each field, alone."""
    for name in names:
        for text in TEXTS.values():
            yield {name: text}


def faults_of(status: int, html: str, odd: dict[str, str]) -> Iterator[str]:
    """What is wrong with the answer: a page, with each refusal beside its field and kept input."""
    if status not in {200, 422}:
        yield f"status {status}"
        return
    page = Page(html)
    if "この操作はできませんでした" in html:
        yield f"refused as a whole {page.summary}"
    if status == FORM_REFUSED and not page.summary:
        yield "refused without a reason"
    for link, words in page.summary:
        if link.removeprefix("#") not in page.ids:
            yield f"「{words}」 leads nowhere ({link})"
        if not JAPANESE.search(words) or ENGLISH.search(words):
            yield f"not in Japanese: {words}"
    for name, text in odd.items() if page.summary else ():
        kept = [one.fields[name] for one in page.forms if name in one.typed]
        if _plain(text) not in [_plain(*values) for values in kept]:
            yield f"{name} not kept: {kept!r:.200}"


def _plain(text: str) -> str:
    return " ".join(text.replace("\0", "\ufffd").split())


def _kind(path: str) -> str:
    return re.sub(r"[^/]*\d[^/]*", "*", urlsplit(path).path)


def _links(html: str) -> list[str]:
    links = (unescape(link) for link in re.findall(r'<a [^>]*href="(/[^"#]*)', html))
    return [link for link in links if not NOT_FOLLOWED.search(link)]


@pytest.fixture(scope="module")
async def expenses(databases: TestDatabases) -> AsyncIterator[CommuterStack]:
    async with open_commuter_stack(databases.create) as everything:
        yield everything


@pytest.fixture(scope="module")
async def counter(portal_stack: PortalStack) -> PortalStack:
    """The counter with one application waiting at the store, and a remanded one."""
    async with portal_stack.signed_in(YAMADA) as yamada, portal_stack.signed_in(SATO) as sato:
        await report(yamada, "C1001")
        remanded = await report(yamada, "C1002")
        await take(sato, remanded, "remand", comment="受領日を確認してください")
    return portal_stack


async def test_forms_of_the_counter(counter: PortalStack, *, long: bool) -> None:
    starts = ("/", "/contracts?mode=general", "/transfers?from_store=S10")
    await assert_understood(counter, counter_people.EVERYBODY, starts, singly=long)


@pytest.mark.parametrize(
    ("field", "typed", "shown"),
    [
        ("contact_1", "03ー1234ー5678", "03-1234-5678"),
        ("contact_1", "（03）1234\u20105678", "03-1234-5678"),
        ("contact_2", "０３\u3000１２３４\u3000５６７８", "03-1234-5678"),
        ("contact_3", "ｅ１０１＠ｄ０１．ｅｘａｍｐｌｅ．ｊｐ\u3000", "e101@d01.example.jp"),
        ("received_on", "令和7年7月1日", "2025/07/01(火)"),
        ("received_on", "2025/07/01(火)", "2025/07/01(火)"),
        ("received_on", "２０２５．７．１", "2025/07/01(火)"),
    ],
)
async def test_accepted_as_it_was_meant(
    counter: PortalStack, field: str, typed: str, shown: str
) -> None:
    async with counter.signed_in(YAMADA) as yamada:
        await yamada.visit("/contracts/C1003/return/entry")
        await yamada.send("/return/entry", **{"received_on": "2025/7/2", field: typed})
        assert "よろしいですか" in yamada.text, yamada.text
        assert shown in yamada.text


@pytest.mark.parametrize("step", ["remand", "approval"])
async def test_comments_and_addresses_of_a_step(counter: PortalStack, step: str) -> None:
    """A step is taken once, so each accepted text needs an application of its own."""
    async with counter.signed_in(YAMADA) as yamada, counter.signed_in(SATO) as sato:
        application_id = await report(yamada, "C1005")
        for what in STEP_TEXTS:
            await sato.visit(f"/returns/{application_id}/{step}")
            (form,) = [one for one in Page(sato.html).forms if one.action.endswith(f"/{step}")]
            odd = dict.fromkeys(form.typed, TEXTS[what])
            reply = await sato.browser.http.post(form.action, data=form.fields | odd)
            if not reply.is_redirect:
                assert not list(faults_of(reply.status_code, reply.text, odd)), what
                continue
            await take(yamada, application_id, "withdrawal")
            application_id = await report(yamada, "C1005")
        await take(yamada, application_id, "withdrawal")


async def test_reasons_of_a_rejected_pass(expenses: CommuterStack) -> None:
    """Refused ones first: the last text is accepted, and the step is taken."""
    keiri = next(who for who in expense_people.EVERYBODY if Role.EXPENSE_ADMIN in who.roles)
    async with expenses.signed_in(keiri) as user:
        await user.visit("/commuter/confirmations")
        path = next(link for link in _links(user.html) if link.startswith("/commuter/passes/"))
        for what in ("blanks", "NUL", "escape and bell", "bidi controls", "very long", "HTML"):
            await user.visit(path)
            (form,) = [one for one in Page(user.html).forms if STEP_OF_A_PASS.match(one.action)]
            odd = dict.fromkeys(form.typed, TEXTS[what])
            reply = await user.browser.http.post(form.action, data=form.fields | odd)
            assert reply.is_redirect or not list(faults_of(reply.status_code, reply.text, odd)), (
                what
            )
            assert reply.is_redirect is (what == "HTML"), what


async def test_forms_of_expenses(expenses: CommuterStack, *, long: bool) -> None:
    await assert_understood(expenses, expense_people.EVERYBODY, ("/",), singly=long)


async def assert_understood(
    at: Stack, people: Sequence[Principal], starts: Sequence[str], *, singly: bool
) -> None:
    seen, wrong, sent = set[str](), list[str](), 0
    for who in people:
        async with at.signed_in(who) as user:
            odd = OddInputs(user, seen, singly)
            await odd.walk(*starts)
        wrong += [f"{who.user_id} {fault}" for fault in odd.wrong]
        sent += odd.sent
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong)
    assert sent > 20 * len(TEXTS)
