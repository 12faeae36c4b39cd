"""The fixtures of every test: real servers, databases and queues of its own."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
import structlog
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from shared.rabbitmq import Topology
from shared.refusals import STRICT
from shared.testing import servers
from shared.testing.databases import TestDatabases

# By itself structlog draws a traceback with every value in it: seconds, where something crashes.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

# A refusal that its route does not declare is a crash, in processes of the tests as well.
os.environ[STRICT] = "1"


# No time is asserted, and a failure prints what repeats it (`@reproduce_failure`).
settings.register_profile("suite", deadline=None, print_blob=True)
settings.register_profile("long", settings.get_profile("suite"), max_examples=300)
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """Try more examples where there is time; before test modules take over the settings."""
    if config.getoption("--long"):
        settings.load_profile("long")


class FilesAndBrowser(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Whole files to each worker, in the order of `testpaths`: the long ones first.

    Those of one browser and one product, which take seconds to start, go to one worker.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        return "tests/browser" if path.startswith("tests/browser/") else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Distribute by our own rule (`./dev test` asks for several workers)."""
    config.option.loadscopereorder = False
    return FilesAndBrowser(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long` is what the suite has no time for."""
    parser.addoption(
        "--long",
        action="store_true",
        help="every page as every role at both widths, and many more random requests",
    )


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the long form of a test is wanted (`./dev long`)."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a superuser on a real PostgreSQL server."""
    url, end = servers.find_postgres()
    yield url
    end()


@pytest.fixture(scope="session")
async def databases(postgres_url: str) -> AsyncIterator[TestDatabases]:
    """Makes databases for this run and drops them after it."""
    made = TestDatabases(postgres_url, durable=False)
    await made.begin()
    yield made
    await made.drop_all()


@pytest.fixture
async def new_database(databases: TestDatabases) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """Make fresh, migrated databases: the URL of one for a service's package."""
    urls: list[str] = []

    async def create(package: str) -> str:
        urls.append(await databases.create(package))
        return urls[-1]

    yield create
    for url in urls:
        await databases.give_back(url)


@pytest.fixture
def as_owner(databases: TestDatabases) -> Callable[[str, str], Awaitable[None]]:
    """Run statements on a database as the role that owns its tables."""
    return databases.as_owner


@pytest.fixture(scope="session")
def rabbitmq_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a real RabbitMQ broker."""
    found = servers.find_rabbitmq()
    if found is None:
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{servers.HOW_TO_GET_RABBITMQ}\n")
        pytest.skip(servers.HOW_TO_GET_RABBITMQ)
    url, end = found
    yield url
    end()


@pytest.fixture
async def topology(rabbitmq_url: str) -> AsyncIterator[Topology]:
    """An exchange and queues of this test's own; deleted after it."""
    async with servers.own_topology(rabbitmq_url) as own:
        yield own
