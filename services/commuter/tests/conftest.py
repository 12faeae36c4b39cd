"""What the tests of the commuter service share: the delivered network and its tariffs."""

import pytest

from fare_engine.fares.tariffs import Tariffs, packaged_tariffs
from fare_engine.network.network import Network


@pytest.fixture(scope="session")
def tariffs() -> Tariffs:
    return packaged_tariffs()


@pytest.fixture(scope="session")
def network(tariffs: Tariffs) -> Network:
    return tariffs.network
