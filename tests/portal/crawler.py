"""Crawler that follows every link and sends junk in every form, to find crashes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlsplit

from .portal_stack import PortalUser, fields_of

JUNK = ("", "変", "9" * 3000 + "\0")
KEPT = {"csrf", "once"}
ROW = re.compile(r"\.[1-9]")  # the fields of further rows are like those of the first
NOT_FOLLOWED = re.compile(r"/(auth|static|mailbox|clock)\b")


@dataclass
class Crawler:
    """Visits each kind of page once; `crashes` collects server errors."""

    user: PortalUser
    seen: set[str] = field(default_factory=set)
    crashes: list[str] = field(default_factory=list)

    async def walk(self, *starts: str) -> None:
        waiting = [*starts]
        while waiting:
            path = waiting.pop(0)
            kind = self._kind(path)
            if kind in self.seen:
                continue
            self.seen.add(kind)
            page = await self.user.visit(path)
            self._note(page.status, f"GET {path}")
            waiting += self._links()
            for action, fields, pressed in list(self._forms()):
                button = "".join(pressed.values()).partition(":")[0]
                form = f"{self._kind(action)} {sorted(fields)} {button}"
                if form not in self.seen:
                    self.seen.add(form)
                    await self._send_junk(action, fields, pressed)

    async def _send_junk(
        self, action: str, fields: dict[str, list[str]], pressed: dict[str, str]
    ) -> None:
        """Send junk in all fields at once, then in one field after the other."""
        typable, said = fields.keys() - KEPT, {**pressed, "confirmed": "yes"}
        forms = [fields | {name: [junk] for name in typable} for junk in JUNK]
        singly = [fields | {name: ["変"]} for name in sorted(typable) if not ROW.search(name)]
        for sent in [form | pressed for form in forms] + [form | said for form in forms + singly]:
            reply = await self.user.browser.http.post(action, data=sent)
            self._note(reply.status_code, f"POST {action} {sent}"[:300])

    def _note(self, status: int, what: str) -> None:
        if status >= 500 and status != 503:  # 503: a service that this stack does not have
            self.crashes.append(f"{status} {what}")

    def _kind(self, path: str) -> str:
        """The path without ids: pages of one kind are visited once."""
        return re.sub(r"[^/]*\d[^/]*", "*", urlsplit(path).path)

    def _links(self) -> list[str]:
        links = (unescape(link) for link in re.findall(r'<a [^>]*href="(/[^"#]*)', self.user.html))
        return [link for link in links if not NOT_FOLLOWED.match(link)]

    def _forms(self) -> Iterator[tuple[str, dict[str, list[str]], dict[str, str]]]:
        """Every POST form, once for each of its buttons."""
        for traits, inner in re.findall(
            r"<form\b([^>]*)>(.*?)</form>", self.user.html, flags=re.DOTALL
        ):
            action = re.search(r'action="([^"]*)"', traits)
            if action is None or 'method="post"' not in traits or NOT_FOLLOWED.match(action[1]):
                continue
            fields = fields_of(inner, ticked_only=False)
            buttons = re.findall(r'<button[^>]* name="([^"]+)"(?:[^>]* value="([^"]*)")?', inner)
            for name, value in buttons or [("", "")]:
                yield unescape(action[1]), fields, {name: value} if name else {}
