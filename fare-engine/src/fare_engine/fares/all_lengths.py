"""Shortest lengths between all pairs of nodes of a sparse network of tracks, as one matrix.

Most nodes lie on a chain between two junctions, so that only the junctions are searched (Floyd and
Warshall); from a node every way goes over one of the two ends of its chain, or stays on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOT_JOINED = 2**60

Lengths = NDArray[np.int64]
Around = Mapping[int, Mapping[int, int]]
Chain = list[tuple[int, int]]  # nodes with their lengths from the first


@dataclass(frozen=True, slots=True)
class _OnChains:
    """For each node the two ends of its chain, how far they are, and the number of the chain.

    A junction is both ends itself, on a chain of its own.
    """

    ends: NDArray[np.int64]
    lengths: Lengths
    chain: NDArray[np.int64]


def all_lengths(around: Around, nodes: Sequence[int]) -> Lengths:
    """Lengths from each of the nodes to each of them; `around`: length by neighbour, both ways."""
    known = [node for node in nodes if node in around]
    found = np.full((len(nodes), len(nodes)), NOT_JOINED, np.int64)
    if not known:
        return found
    chains = list(_chains(around, _junctions(around)))
    junctions = list(dict.fromkeys(end for chain in chains for end in (chain[0][0], chain[-1][0])))
    number = {junction: i for i, junction in enumerate(junctions)}
    between = _between(chains, number)
    places = _on_chains(chains, number, known)
    lengths = np.full((len(known), len(known)), NOT_JOINED, np.int64)
    for i in range(2):
        for j in range(2):
            way = between[places.ends[i][:, None], places.ends[j]]
            way = way + (places.lengths[i][:, None] + places.lengths[j])
            np.minimum(lengths, way, out=lengths)
    same = places.chain[:, None] == places.chain
    along = np.abs(places.lengths[0][:, None] - places.lengths[0])
    lengths = np.where(same, np.minimum(lengths, along), lengths)
    here = [i for i, node in enumerate(nodes) if node in around]
    found[np.ix_(here, here)] = np.minimum(lengths, NOT_JOINED)
    return found


def _junctions(around: Around) -> set[int]:
    """Nodes with other than two neighbours; and one node of every loop that has no such node."""
    junctions = {node for node, others in around.items() if len(others) != 2}  # noqa: PLR2004
    seen: set[int] = set()
    for node in around:
        if node in seen:
            continue
        part, ahead = {node}, [node]
        while ahead:
            for other in around[ahead.pop()]:
                if other not in part:
                    part.add(other)
                    ahead.append(other)
        if junctions.isdisjoint(part):
            junctions.add(node)
        seen |= part
    return junctions


def _chains(around: Around, junctions: set[int]) -> Iterator[Chain]:
    """From junction to junction along the nodes between, each chain once."""
    for junction in junctions:
        if not around[junction]:
            yield [(junction, 0)]
        for first in around[junction]:
            chain, before, here = [(junction, 0)], junction, first
            length = around[junction][first]
            while here not in junctions:
                chain.append((here, length))
                ahead = next(other for other in around[here] if other != before)
                length += around[here][ahead]
                before, here = here, ahead
            chain.append((here, length))
            if (junction, first) <= (here, before):
                yield chain


def _between(chains: Sequence[Chain], number: Mapping[int, int]) -> Lengths:
    """The lengths between all junctions."""
    between = np.full((len(number), len(number)), NOT_JOINED, np.int64)
    np.fill_diagonal(between, 0)
    for chain in chains:
        a, b = number[chain[0][0]], number[chain[-1][0]]
        between[a, b] = between[b, a] = min(between[a, b], chain[-1][1])
    for via in range(len(number)):
        np.minimum(between, between[:, via, None] + between[via], out=between)
    return between


def _on_chains(
    chains: Sequence[Chain], number: Mapping[int, int], nodes: Sequence[int]
) -> _OnChains:
    at: dict[int, tuple[int, int, int, int, int]] = {}
    for i, chain in enumerate(chains):
        first, last = number[chain[0][0]], number[chain[-1][0]]
        whole = chain[-1][1]
        for node, length in chain[1:-1]:
            at[node] = first, last, length, whole - length, i
    for junction, i in number.items():
        at[junction] = i, i, 0, 0, -1 - i
    rows = np.array([at[node] for node in nodes], np.int64).T
    return _OnChains(rows[:2], rows[2:4], rows[4])
