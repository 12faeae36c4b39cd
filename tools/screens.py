"""How does every screen look? Pictures of all of them, by role, from a running product.

`python -m tools.screens --url http://127.0.0.1:8400` logs in at the development issuer as each
person in turn and writes .screens/<width>/<role>-<screen>.png at 1280 and 360 pixels.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = (1280, 360)
LONGEST = 4000
"""Pixels; below it a long list only repeats itself."""
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
CONTRACTS = "/contracts?mode=general&status=open"


@dataclass(frozen=True, slots=True)
class Screen:
    """One picture: `path` may name {contract}, {application} or {mail}, found on the way."""

    name: str
    path: str


DEALER = (
    Screen("top", "/"),
    Screen("list-empty", "/contracts"),
    Screen("list", CONTRACTS),
    Screen("list-wrong", "/contracts?mode=general&final_from=2026-05&final_to=2026-04"),
    Screen("detail", "/contracts/{contract}"),
    Screen("result", "/contracts/{contract}/result"),
    Screen("payoff", "/contracts/{contract}/payoff"),
    Screen("resplit", "/contracts/{contract}/resplit"),
    Screen("return-menu", "/contracts/{contract}/return"),
    Screen("return-entry", "/contracts/{contract}/return/entry"),
    Screen("progress", "/returns"),
    Screen("progress-past", "/returns?tab=past"),
    Screen("application", "/returns/{application}"),
    Screen("correction", "/returns/{application}/correction"),
    Screen("help", "/help"),
    Screen("not-found", "/contracts/none"),
)
LEADER = (
    Screen("assignment", "/contracts/{contract}/assignment"),
    Screen("bulk-empty", "/transfers"),
    Screen("bulk", "/transfers?from_store=S10"),
    Screen("approvals", "/returns/approvals"),
    Screen("remand", "/returns/{application}/remand"),
    Screen("approval", "/returns/{application}/approval"),
    Screen("overwriting", "/returns/{application}/overwriting"),
    Screen("substitutes", "/substitutes"),
    Screen("dashboard", "/dashboard"),
)
HQ = (
    Screen("flow", "/approval-flow"),
    Screen("mails", "/operation/mails"),
    Screen("mail", "/operation/mails/{mail}"),
)
TFC = (
    Screen("requests", "/tfc/requests"),
    Screen("application", "/returns/{application}"),
    Screen("mails", "/operation/mails"),
)
ROLES = {
    "sales": ("D01-E101", DEALER),
    "manager": ("D01-M100", DEALER + LEADER),
    "hq": ("D01-H001", DEALER + LEADER + HQ),
    "tfc": ("T001", TFC),
}


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8400")
    parser.add_argument("--to", type=Path, default=Path(".screens"))
    parser.add_argument("--role", action="append", choices=list(ROLES))
    parser.add_argument("--only", default="", help="screens whose name contains this")
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for role in asked.role or list(ROLES):
            for path in take(browser, asked.url, role, asked.to, asked.only):
                print(path)  # noqa: T201
        browser.close()


def take(browser: Browser, url: str, role: str, to: Path, only: str = "") -> Iterator[Path]:
    """The pictures of one role; gives each file as it is written."""
    user_id, screens = ROLES[role]
    for width in WIDTHS:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            locale="ja-JP",
            base_url=url,
            bypass_csp=True,
        )
        page = context.new_page()
        sign_in(page, user_id)
        names = found_names(page)
        (to / str(width)).mkdir(parents=True, exist_ok=True)
        for screen in screens:
            path = screen.path.format_map(names)
            if only in screen.name and "-nothing-" not in path:
                page.goto(path)
                file = to / str(width) / f"{role}-{screen.name}.png"
                page.add_style_tag(content=".buttons-stay { position: static !important; }")
                tall = page.evaluate("document.documentElement.scrollHeight")
                page.screenshot(
                    path=file,
                    full_page=True,
                    clip={"x": 0, "y": 0, "width": width, "height": min(tall, LONGEST)},
                )
                yield file
        context.close()


def sign_in(page: Page, user_id: str) -> None:
    """Log in at the development issuer as one of its people."""
    page.goto("/auth/login?next=/")
    page.locator(f"button[name=person][value='{user_id}']").click()
    page.wait_for_url(re.compile(r"/$"))


def found_names(page: Page) -> dict[str, str]:
    """A contract, an application and a mail that this person can open."""
    wanted = {
        "contract": (CONTRACTS, r"/contracts/([^/?]+)$"),
        "application": ("/returns", r"/returns/(RA-[^/?]+)$"),
        "mail": ("/operation/mails", r"/operation/mails/([0-9a-f-]{36})$"),
    }
    names = {}
    for name, (path, pattern) in wanted.items():
        page.goto(path)
        links = page.locator("main a").evaluate_all("links => links.map(l => l.pathname)")
        found = [match[1] for link in links if (match := re.search(pattern, link))]
        names[name] = found[len(found) * 3 // 5] if found else "-nothing-"
    return names


if __name__ == "__main__":
    main()
