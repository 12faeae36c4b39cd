"""Every page: accessibility by axe, transfer size, layout shift, phone width and print.

In the suite each page is checked once, as the first role that has it. With `--long` (`./dev
long`) every role checks all of its pages, and again at phone width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, ViewportSize

from tests.node_assets import node_modules
from tests.running_product import Product
from tools.screens import ROLES, Screen, found_names, sign_in

HEAVIEST = 100_000
"""Bytes transferred on the first load, without fonts."""
DESK, PHONE = 1280, 360
ZOOMED = 640
"""The CSS width of 1280 pixels at 200 % zoom."""
PAPER = 688
"""A4 without margins."""
Tried = tuple[str, tuple[Screen, ...], int]
"""Role, pages and width of a check."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "screens" in metafunc.fixturenames:
        tried = every_role() if metafunc.config.getoption("--long") else every_page()
        names = [f"{role}-{width}" for role, _, width in tried]
        metafunc.parametrize(("role", "screens", "width"), tried, ids=names)


def every_role() -> list[Tried]:
    return [(role, screens, w) for role, (_, screens) in ROLES.items() for w in (DESK, PHONE)]


def every_page() -> list[Tried]:
    first = {
        screen.path: (role, screen) for role, (_, screens) in reversed(ROLES.items())
        for screen in screens
    }  # fmt: skip
    once = {role: tuple(s for r, s in first.values() if r == role) for role in ROLES}
    return [(role, screens, DESK) for role, screens in once.items() if screens]


@pytest.fixture(scope="module")
def axe(request: pytest.FixtureRequest) -> str:
    return (node_modules(request) / "axe-core" / "axe.min.js").read_text()


WATCH = """
    window.jumped = 0;
    new PerformanceObserver((list) => {
      for (const s of list.getEntries()) if (!s.hadRecentInput) window.jumped += s.value;
    }).observe({ type: "layout-shift", buffered: true });
"""
TEMPLATES = """
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { font-family: %s !important }");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
"""
STACKS = ("serif", "monospace")
"""Two fonts that no page uses: the result must not depend on the fonts of a machine."""
PAINTED = """
    () => new Promise(done => {
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(jumped))));
    })
"""
"""The shifts so far, those of the last moment included: they count when they are painted."""
JUMP = 0.001
LONGEST_MS = 120_000
"""A machine may be busy; no time is asserted."""
SLOWED = 4
"""Slows the network down: a page painted in parts shifts, which a fast machine hides."""
UNNAMED = """
    () => [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
      .filter((field) => !field.closest("[aria-hidden=true], [hidden]"))
      .filter((field) => !field.labels?.length && !field.ariaLabel)
      .map((field) => field.name)
"""


@dataclass
class PageCheck:
    """One page on its first load."""

    page: Page
    weight: int = 0
    faults: list[str] = field(default_factory=list)

    def at(self, path: str) -> None:
        seen: list[Response] = []

        def note(response: Response) -> None:
            seen.append(response)

        self.page.on("response", note)
        self.page.goto(path)
        self.page.wait_for_load_state("load")
        self.page.remove_listener("response", note)
        for response in seen:
            response.finished()
            sizes = response.request.sizes()
            self.weight += sizes["responseBodySize"] + sizes["responseHeadersSize"]

    def axe(self, script: str, name: str) -> None:
        self.page.evaluate(script)
        found: dict[str, Any] = self.page.evaluate(
            "() => axe.run(document, {resultTypes: ['violations']})"
        )
        for violation in found["violations"]:
            if violation["impact"] in {"serious", "critical"}:
                where = [node["target"] for node in violation["nodes"]][:3]
                self.faults.append(f"{name}: {violation['id']} {violation['help']} {where}")

    def width(self, name: str) -> None:
        given, taken = self.page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
        if taken > given:
            self.faults.append(f"{name}: {taken} px wide on {given}")

    def on_paper(self, name: str) -> None:
        self.page.emulate_media(media="print")
        self.page.set_viewport_size({"width": PAPER, "height": 900})
        self.width(f"{name} on paper")
        if self.page.locator(".bar, .menu, .buttons").locator("visible=true").count():
            self.faults.append(f"{name}: the frame or its buttons are printed")


@dataclass(frozen=True)
class Tabs:
    """Two tabs of one person: a process of its own for each page would take longer than a check.

    Each measures layout shift in a font; the first without a cache, the second on a slow machine.
    """

    width: int
    first: Page
    slow: Page

    @classmethod
    def of(cls, context: BrowserContext, width: int) -> "Tabs":
        pages = []
        for stack in STACKS:
            pages.append(context.new_page())
            pages[-1].add_init_script(WATCH)
            pages[-1].add_init_script(TEMPLATES % stack)
        first, slow = pages
        context.new_cdp_session(first).send("Network.setCacheDisabled", {"cacheDisabled": True})
        throttle = context.new_cdp_session(slow)
        throttle.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
        return cls(width, first, slow)

    def jumps_in(self, screen: Screen, path: str) -> list[str]:
        """Layout shift faults of a page on a slow machine."""
        page, name = self.slow, f"{screen.name} in {STACKS[1]}"
        page.bring_to_front()  # what is not shown is not painted, and does not shift
        page.goto(path)
        page.wait_for_load_state("load")
        jumped = page.evaluate(PAINTED)
        look = PageCheck(page)
        look.width(name)
        return look.faults + _jump(name, jumped)

    def look_at(self, screen: Screen, path: str, axe: str) -> list[str]:
        page = self.first
        page.bring_to_front()
        page.emulate_media(media="screen")
        page.set_viewport_size({"width": self.width, "height": 900})
        look = PageCheck(page)
        look.at(path)
        look.axe(axe, screen.name)
        facts = page.evaluate(
            "() => ({jumped: window.jumped, h1: document.querySelectorAll('h1').length})"
        )
        look.width(screen.name)
        for narrower in (ZOOMED, PHONE):
            page.set_viewport_size({"width": narrower, "height": 900})
            look.width(screen.name)
        look.on_paper(screen.name)
        look.faults += _jump(f"{screen.name} in {STACKS[0]}", facts["jumped"])
        if facts["h1"] != 1:
            look.faults.append(f"{screen.name}: {facts['h1']} h1")
        if look.weight > HEAVIEST:
            look.faults.append(f"{screen.name}: {look.weight:,} bytes")
        look.faults += [f"{screen.name}: no label for {name}" for name in page.evaluate(UNNAMED)]
        return look.faults


def _jump(name: str, jumped: float) -> list[str]:
    return [f"{name}: layout shift of {jumped:.3f}"] if jumped > JUMP else []


def test_every_page_is_accessible_light_and_stable(  # noqa: PLR0917  three name what is tried
    furnished: Product, browser: Browser, axe: str, role: str, screens: Sequence[Screen], width: int
) -> None:
    user_id, _ = ROLES[role]
    context = browser.new_context(
        viewport=ViewportSize(width=width, height=900), locale="ja-JP", base_url=furnished.url,
        bypass_csp=True,  # only for axe; the policy is tested in tests/portal
    )  # fmt: skip
    context.set_default_timeout(LONGEST_MS)
    page = context.new_page()
    sign_in(page, user_id)
    names = found_names(page)
    page.close()
    tabs, faults = Tabs.of(context, width), []
    for screen in screens:
        path = screen.path.format_map(names)
        assert "-nothing-" not in path or "/mails/" in path, path
        if "-nothing-" not in path:
            faults += tabs.look_at(screen, path, axe)
            faults += tabs.jumps_in(screen, path)
    context.close()
    assert faults == []


@pytest.mark.parametrize("role", ROLES)
def test_the_checked_pages_are_those_of_the_menu(
    furnished: Product, browser: Browser, role: str
) -> None:
    user_id, _ = ROLES[role]
    context = browser.new_context(locale="ja-JP", base_url=furnished.url)
    page = context.new_page()
    sign_in(page, user_id)
    offered = set(page.locator("#menu a").evaluate_all("links => links.map(link => link.pathname)"))
    context.close()
    tried = {screen.path.split("?")[0] for _, screens in ROLES.values() for screen in screens}
    assert offered <= tried
