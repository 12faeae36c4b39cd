"""Screenshots of every screen, by role, from a running product.

`python -m tools.screens --url http://127.0.0.1:8400` logs in at the development issuer as each
person in turn and writes .screens/<width>/<role>-<screen>.png at 1280 and 360 pixels. If there is
no open application yet, it reports a return first, so that the screens are not empty.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = (1280, 360)
LONGEST = 4000
"""Maximum height in pixels; a long list repeats itself below it."""
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
CONTRACTS = "/contracts?mode=general&status=open"


@dataclass(frozen=True, slots=True)
class Screen:
    """One screenshot: `path` may contain {contract}, {application} or {mail}, found on pages."""

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
    Screen("approvals", "/returns/approvals"),
    Screen("help", "/help"),
    Screen("not-found", "/contracts/none"),
)
LEADER = (
    Screen("assignment", "/contracts/{contract}/assignment"),
    Screen("bulk-empty", "/transfers"),
    Screen("bulk", "/transfers?from_store=S10"),
    Screen("remand", "/returns/{application}/remand"),
    Screen("approval", "/returns/{application}/approval"),
    Screen("overwriting", "/returns/{application}/overwriting"),
    Screen("substitutes", "/substitutes"),
    Screen("dashboard", "/dashboard"),
)
MAILS = (Screen("mails", "/operation/mails"), Screen("mail", "/operation/mails/{mail}"))
WEBHOOKS = (
    Screen("webhooks", "/operation/webhooks"),
    Screen("webhook-new", "/operation/webhooks/new"),
    Screen("webhook-deliveries", "/operation/webhooks/deliveries"),
)
HQ = (
    Screen("flow", "/approval-flow"),
    *MAILS,
    *WEBHOOKS,
)
TFC = (
    Screen("top", "/"),
    Screen("requests", "/tfc/requests"),
    Screen("application", "/returns/{application}"),
    Screen("hold", "/returns/{application}/hold"),
    Screen("tfc-remand", "/returns/{application}/tfc-remand"),
    Screen("masters", "/tfc/masters"),
    Screen("dealer", "/tfc/masters/D01"),
    *MAILS,
)
OPERATOR = (
    Screen("top", "/"),
    *MAILS,
    *WEBHOOKS,
    Screen("dead-letters", "/operation/dead-letters"),
    Screen("dead-letter", "/operation/dead-letters/{letter}"),
    Screen("skip", "/operation/dead-letters/{letter}/skip"),
    Screen("quarantine", "/operation/refused"),
    Screen("dealers", "/operation/dealers"),
    Screen("dealer-keys", "/operation/dealers/D01"),
    Screen("dealer-messages", "/operation/dealer-messages"),
    Screen("erasures", "/operation/erasures"),
    Screen("access-log", "/operation/access-log"),
    Screen("sessions", "/operation/sessions"),
    Screen("lag", "/operation/lag"),
    Screen("styleguide", "/styleguide"),
    Screen("clock", "/clock/"),
    Screen("mailbox", "/mailbox/"),
)
RIDER = (
    Screen("passes-mine", "/commuter/my-passes"),
    Screen("pass-form", "/commuter/my-passes/new"),
    Screen("slips", "/commuter/slips"),
    Screen("slip", "/commuter/slips/{slip}"),
    Screen("look-up", "/commuter/slips/{slip}/items/{item}/look-up"),
    Screen("receipts", "/commuter/slips/{slip}/items/{item}/receipts"),
    Screen("outing", "/commuter/slips/{slip}/outing"),
    Screen("favourites", "/commuter/slips/{slip}/favourites"),
    Screen("simulation", "/commuter/simulation"),
    Screen("my-mails", "/commuter/my-mails"),
    Screen("my-account", "/commuter/my-account"),
)
NEWCOMER = tuple(screen for screen in RIDER if screen.name != "slip")  # a person without passes
ACCOUNTING = (
    Screen("passes", "/commuter/passes"),
    Screen("pass", "/commuter/passes/{pass}"),
    Screen("pass-new", "/commuter/passes/new"),
    Screen("confirmations", "/commuter/confirmations"),
    Screen("slips", "/commuter/slips"),
    Screen("slip", "/commuter/slips/{slip}"),
    Screen("desk", "/commuter/desk"),
    Screen("months", "/commuter/months"),
    Screen("receipt-search", "/commuter/receipts"),
    Screen("recheck", "/commuter/recheck?first=2026-01-01&last=2026-12-31"),
    Screen("accounting", "/commuter/accounting"),
    Screen("transfers", "/commuter/transfers"),
    Screen("transfer-settings", "/commuter/transfers/settings"),
    Screen("bank-accounts", "/commuter/bank-accounts"),
    Screen("allowances", "/commuter/allowances"),
    Screen("car-commutes", "/commuter/car-commutes"),
    Screen("accounting-settings", "/commuter/accounting/settings"),
    Screen("settings", "/commuter/settings"),
    Screen("permissions", "/commuter/permissions"),
)
ROLES = {
    "sales": ("D01-E101", DEALER),
    "manager": ("D01-M100", DEALER + LEADER),
    "hq": ("D01-H001", DEALER + LEADER + HQ),
    "tfc": ("T001", TFC),
    "rider": ("D01-E101", RIDER),
    "newcomer": ("D01-E201", NEWCOMER),
    "approver": ("D01-M100", (Screen("slips", "/commuter/slips"),)),
    "accounting": ("D01-A001", ACCOUNTING),
    "operator": ("O001", OPERATOR),
}

MANUAL = {
    "sales": ("top", "list", "detail", "result", "resplit", "return-entry", "application"),
    "manager": ("approvals", "application", "assignment", "bulk", "dashboard", "substitutes"),
    "hq": ("flow", "mails"),
    "tfc": ("requests", "application", "masters"),
    "rider": ("passes-mine", "slip"),
    "accounting": ("passes", "slips", "confirmations", "settings"),
    "operator": ("dead-letters", "dead-letter", "quarantine", "lag"),
}
"""The screens of the user's guide; `--manual` writes them to docs/manual/images."""


def main() -> None:
    """Parse the command line and take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8400")
    parser.add_argument("--to", type=Path, default=Path(".screens"))
    parser.add_argument("--role", action="append", choices=list(ROLES))
    parser.add_argument(
        "--manual", action="store_true", help="take the screenshots of the user's guide"
    )
    parser.add_argument("--only", default="", help="only screens whose name contains this")
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        prepare(browser, asked.url)
        for role in asked.role or list(ROLES):
            pictures = (
                for_manual(browser, asked.url, role)
                if asked.manual
                else take(browser, asked.url, role, asked.to, asked.only)
            )
            for path in pictures:
                print(path)  # noqa: T201
        browser.close()


def take(browser: Browser, url: str, role: str, to: Path, only: str = "") -> Iterator[Path]:
    """Take the screenshots of one role; yields each file as it is written."""
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


def for_manual(browser: Browser, url: str, role: str) -> Iterator[Path]:
    """Take the screenshots of one role for the user's guide, cut to one screen."""
    user_id, screens = ROLES[role]
    context = browser.new_context(
        viewport={"width": 1180, "height": 760}, locale="ja-JP", base_url=url
    )
    page = context.new_page()
    sign_in(page, user_id)
    names = found_names(page)
    for screen in screens:
        path = screen.path.format_map(names)
        if screen.name in MANUAL[role] and "-nothing-" not in path:
            page.goto(path)
            page.wait_for_load_state("load")
            file = Path("docs/manual/images") / f"{role}-{screen.name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=file)
            yield file
    context.close()


def sign_in(page: Page, user_id: str) -> None:
    """Log in at the development issuer as one of its people."""
    page.goto("/auth/login?next=/")
    page.locator(f"button[name=person][value='{user_id}']").click()
    page.wait_for_url(re.compile(r"/$"))


def prepare(browser: Browser, url: str) -> None:
    """Create two open applications: one waits for the store, one is with TFC."""
    roles = ("sales", "manager", "hq")
    pages = {role: _signed_in(browser, url, ROLES[role][0]) for role in roles}
    pages["sales"].goto("/returns")
    if not pages["sales"].locator("main a[href^='/returns/RA-']").count():
        for approvers in ((), ("manager", "hq")):
            application = report_return(pages["sales"])
            for role in approvers:
                pages[role].goto(f"/returns/{application}/approval")
                pages[role].click("main button:text-is('OK')")
                pages[role].wait_for_url(f"**/returns/{application}")
    for page in pages.values():
        page.context.close()


def report_return(page: Page) -> str:
    """Report a car as returned; returns the application's id."""
    page.goto(CONTRACTS)
    links = page.locator("main tbody a").evaluate_all("links => links.map(link => link.pathname)")
    for link in links:
        page.goto(f"{link}/return/entry")
        if page.locator("#field-received_on").count():
            break
    today = re.search(r"\d{4}/\d\d/\d\d", page.inner_text(".bar-clock"))
    page.fill("#field-received_on", today[0] if today else "")
    page.fill("#field-contact_3", "yamada@d01.example.jp")
    page.click("main button:text-is('確認')")
    page.click("button:text-is('OK')")
    page.wait_for_url("**/sent")
    return page.url.split("/")[-2]


def _signed_in(browser: Browser, url: str, user_id: str) -> Page:
    page = browser.new_context(locale="ja-JP", base_url=url).new_page()
    sign_in(page, user_id)
    return page


def found_names(page: Page) -> dict[str, str]:
    """The ids of records that this person can open, and of the first item of the slip."""
    wanted = (
        ("contract", CONTRACTS, r"/contracts/([^/?]+)$"),
        ("application", "/returns", r"/returns/(RA-[^/?]+)$"),
        ("application", "/tfc/requests", r"/returns/(RA-[^/?]+)$"),
        ("mail", "/operation/mails", r"/operation/mails/([0-9a-f-]{36})$"),
        ("slip", "/commuter/slips", r"/commuter/slips/([0-9a-f-]{36})$"),
        ("pass", "/commuter/confirmations", r"/commuter/passes/([0-9a-f-]{36})$"),
        ("letter", "/operation/dead-letters", r"/operation/dead-letters/(\w+/[0-9a-f-]{36})$"),
    )
    names = dict.fromkeys((name for name, _, _ in wanted), "-nothing-")
    for name, path, pattern in wanted:
        page.goto(path)
        links = page.locator("main a").evaluate_all("links => links.map(l => l.pathname)")
        found = [match[1] for link in links if (match := re.search(pattern, link))]
        if found:
            names[name] = found[len(found) // 4]
    page.goto(f"/commuter/slips/{names['slip']}")
    items = page.locator(".item").evaluate_all("items => items.map(item => item.id)")
    names["item"] = items[0].removeprefix("item-") if items else "-nothing-"
    return names


if __name__ == "__main__":
    main()
