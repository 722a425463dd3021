"""How many candidates a search by the index must keep, by the rule of `HnswIndex` in the schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = ["FEWEST_NODES", "Tried", "enough"]

FEWEST_NODES = 1000
"""With fewer nodes an index is not used."""

_SAMPLES = 32
_NEAREST = 10
_MOST_CANDIDATES = 1000


class Tried(Protocol):
    """What is tried."""

    def nearest(self, node: int, count: int) -> list[int]:
        """Returns the nodes that are nearest to one, itself left out, by looking at all."""

    def found(self, node: int, count: int, candidates: int) -> list[int]:
        """Returns those that are found with this many candidates.

        It is as if the node were not there: its own neighbours would lead to them.
        """


def enough(tried: Tried, nodes: Sequence[int], candidates: int) -> int | None:
    """Returns how many candidates are enough, `candidates` or more; None if no number is."""
    samples = [nodes[at * len(nodes) // _SAMPLES] for at in range(_SAMPLES)]
    sought = [(node, set(tried.nearest(node, _NEAREST))) for node in samples]
    kept = candidates
    while kept <= max(candidates, _MOST_CANDIDATES):
        hits = sum(len(nearest.intersection(tried.found(node, _NEAREST, kept))) for node, nearest in sought)
        if hits * 50 >= _SAMPLES * _NEAREST * 49:
            return kept
        kept *= 2
    return None
