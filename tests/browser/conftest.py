"""A real browser, and one product with its pages furnished, for all walks."""

import contextlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from portal_service.vendor_assets import copy_vendor_files
from tests.chromium import FLAGS, chromium_or_skip
from tests.node_assets import node_modules
from tests.running_product import Product, running
from tools.screens import prepare

expect.set_options(timeout=30_000)  # a machine may be busy; a right answer comes at once


@pytest.fixture(scope="package")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Ends with this folder: while it lives, its event loop leaves no room for another."""
    program = chromium_or_skip(request)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="package")
def product(request: pytest.FixtureRequest) -> Iterator[Product]:
    """One for all walks; each takes contracts of its own, and those that travel in time go last."""
    with contextlib.suppress(pytest.skip.Exception):  # pages work without the scripts of others
        copy_vendor_files(node_modules(request))
    with running() as started:
        yield started


BURIED = """
    INSERT INTO inbox (stream, sequence, event_id, type, aggregate_type, aggregate_id, dealer_id,
                       occurred_at, payload, headers, state, cause, settled_at)
    VALUES ('/contracts/contract/X', 1, gen_random_uuid(), 'contract.unheard_of.v9', 'contract',
            'X', 'D01', now(), '{}', '{}', 'dead', 'UnknownType', now())
"""


@pytest.fixture(scope="package")
def furnished(product: Product, browser: Browser) -> Product:
    """With applications on their way and a dead letter, so that no page is empty."""
    prepare(browser, product.url)
    product.in_database("returns", BURIED)
    return product
