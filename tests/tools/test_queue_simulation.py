"""Queue simulation of bench/ against closed-form results of queueing theory."""

import random
from math import factorial

import pytest

from bench.queue_simulation import Hop, Path, arrivals, latencies, quantile, through

EVENTS = 60_000


def mean_wait(rate: float, servers: int, serve: float, *, steady: bool = False) -> float:
    rng = random.Random(7)
    jobs = arrivals(rate, EVENTS, rng)

    def seconds(_: int) -> float:
        return serve if steady else rng.expovariate(1 / serve)

    total = sum(done - born for done, born in through(jobs, servers, 1, seconds))
    return total / EVENTS - serve


def erlang_c_wait(rate: float, servers: int, serve: float) -> float:
    """The mean wait of M/M/c."""
    offered = rate * serve
    alone = sum(offered**k / factorial(k) for k in range(servers))
    full = offered**servers / factorial(servers) * servers / (servers - offered)
    return full / (alone + full) * serve / (servers - offered)


@pytest.mark.parametrize(("rate", "servers"), [(0.7, 1), (1.4, 2), (3.2, 4)])
def test_the_mean_wait_of_single_jobs_matches_erlang_c(rate: float, servers: int) -> None:
    assert mean_wait(rate, servers, 1) == pytest.approx(erlang_c_wait(rate, servers, 1), rel=0.1)


def test_a_steady_server_halves_the_wait() -> None:
    wanted = 0.7 / (2 * (1 - 0.7))  # Pollaczek and Khinchine for M/D/1, serving for a second
    assert mean_wait(0.7, 1, 1, steady=True) == pytest.approx(wanted, rel=0.1)


def test_a_server_takes_all_waiting_jobs_up_to_its_batch() -> None:
    batches: list[int] = []

    def seconds(number: int) -> float:
        batches.append(number)
        return 1.0

    jobs = [(0.0, 0.0), *[(0.5, 0.5)] * 5, (9.0, 9.0)]
    done = through(jobs, 1, 3, seconds)
    assert batches == [1, 3, 2, 1]
    assert [at for at, _ in done] == [1, 2, 2, 2, 3, 3, 10]


def test_capacity_is_where_the_queue_begins_to_grow() -> None:
    hop = Hop(0.001, 0.0005, servers=2, batch=100, spread=0)
    assert hop.capacity == pytest.approx(2 * 100 / 0.051)

    def last(rate: float) -> float:
        jobs = arrivals(rate, 40_000, random.Random(1))
        done, born = through(jobs, 2, 100, lambda n: hop.seconds(n, random.Random(1)))[-1]
        return done - born

    assert last(hop.capacity * 0.9) < 0.2
    assert last(hop.capacity * 1.5) > 1


def test_it_reproduces_the_measurements_deterministically() -> None:
    times = latencies(Path(), 50, 20_000)
    assert quantile(times, 0.5) == pytest.approx(11.0, rel=0.15)
    assert quantile(times, 0.99) == pytest.approx(19.2, rel=0.25)
    assert latencies(Path(), 50, 2_000) == latencies(Path(), 50, 2_000)
