"""The index: hierarchical navigable small worlds, by the rules of `HnswIndex` in the schema."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ._checks import Doubles
from ._entry import Stored
from ._level import Levels
from ._rows import Rows
from ._trial import FEWEST_NODES, enough

__all__ = ["Graph", "GraphOptions"]


@dataclass(slots=True, frozen=True)
class GraphOptions:
    """The parameters of an index."""

    m: int
    ef_construction: int
    ef_search: int


@dataclass(slots=True)
class _Node:
    members: dict[Stored, None]
    """The entries with this direction."""
    links: list[list[int]]
    """Its neighbours, by level."""
    referrers: list[set[int]]
    """The nodes that have it as a neighbour, by level."""


_Near = tuple[float, int]
"""Minus how near a node is, and the node: so the nearest is first, and of equally near nodes the lower number."""


class Graph:
    """Nodes in levels; each node has the directions that it is near to as its neighbours."""

    __slots__ = ("_directions", "_enough", "_entry", "_free", "_levels", "_next_trial", "_nodes", "options")

    def __init__(self, options: GraphOptions, dimensions: int) -> None:
        self.options = options
        self._directions = Rows(dimensions, np.float64)
        self._levels = Levels(options.m)
        self._nodes: list[_Node | None] = []
        self._free: list[int] = []
        self._entry: int | None = None
        """A node of the highest level."""
        self._enough: int | None = options.ef_search
        """How many candidates are enough; None if no number is."""
        self._next_trial = FEWEST_NODES

    def candidates(self, count: int) -> int | None:
        """Returns how many candidates a search for `count` entries is to keep; None if the index is not to be used."""
        if self._size < FEWEST_NODES or self._enough is None:
            return None
        return max(self._enough, 2 * count)

    def add(self, stored: Stored, direction: Doubles) -> int:
        """Adds an entry with a direction; returns its node."""
        level = self._levels.next()
        if self._entry is None:
            self._entry = self._create(stored, direction, level)
            return self._entry
        nearest = self._entry
        top = self._top_of(nearest)
        neighbours: dict[int, list[int]] = {}
        for at in range(top, -1, -1):
            found = self._search_level(direction, nearest, 1 if at > level else self.options.ef_construction, at)
            nearest = found[0][1]
            if np.array_equal(self._directions.numbers[nearest], direction):
                self._node(nearest).members[stored] = None
                return nearest
            if at <= level:
                neighbours[at] = self._choose(found, self.options.m)
        node = self._create(stored, direction, level)
        for at, chosen in neighbours.items():
            self._connect(node, at, chosen)
        if level > top:
            self._entry = node
        if self._size >= self._next_trial and self._enough is not None:
            self._next_trial = self._size + self._size // 4
            self._enough = enough(self, [one for one in self._live() if one != self._entry], self._enough)
        return node

    def remove(self, stored: Stored) -> None:
        """Removes an entry from its node, and the node where that was its last."""
        gone = stored.node
        node = self._node(gone)
        del node.members[stored]
        if node.members:
            return
        for at, neighbours in enumerate(node.links):
            for neighbour in neighbours:
                self._node(neighbour).referrers[at].discard(gone)
            for referrer in sorted(node.referrers[at]):
                candidates = {*self._node(referrer).links[at], *neighbours} - {gone, referrer}
                self._choose_anew(referrer, at, candidates)
        self._nodes[gone] = None
        self._free.append(gone)
        if self._entry == gone:
            self._entry = self._highest()

    def search(self, direction: Doubles, ef: int) -> list[Stored]:
        """Returns the entries of the nodes that are nearest to a direction: of `ef` nodes, or fewer."""
        return [stored for _, node in self._search(direction, ef) for stored in self._node(node).members]

    def nearest(self, node: int, count: int) -> list[int]:
        """Returns the nodes that are nearest to one, itself left out, by looking at all."""
        directions = self._directions.numbers
        nearness = directions[: len(self._nodes)] @ directions[node]
        nearness[[*self._free, node]] = -np.inf
        last = np.partition(nearness, -count)[-count]
        near = sorted((-nearness[one], one) for one in np.flatnonzero(nearness >= last).tolist())
        return [one for _, one in near[:count]]

    def found(self, node: int, count: int, candidates: int) -> list[int]:
        """Returns those that are found with this many candidates, as if the node were not there."""
        return [one for _, one in self._search(self._directions.numbers[node], candidates, node)[:count]]

    def _search(self, direction: Doubles, ef: int, without: int = -1) -> list[_Near]:
        """Returns the nearest nodes but one, in order."""
        if self._entry is None:
            return []
        nearest = self._entry
        for at in range(self._top_of(nearest), 0, -1):
            nearest = self._search_level(direction, nearest, 1, at, without)[0][1]
        return self._search_level(direction, nearest, ef, 0, without)

    def _search_level(self, direction: Doubles, start: int, ef: int, level: int, without: int = -1) -> list[_Near]:
        """Returns the nearest nodes of a level that are found from one of them: `ef` or fewer, in order."""
        directions, nodes = self._directions.numbers, self._nodes
        found: list[_Near] = [(-float(directions[start] @ direction), start)]
        met, expanded = {start, without}, set[int]()
        at = 0
        while at < len(found):
            expanding = found[at][1]
            if expanding in expanded:
                at += 1
                continue
            expanded.add(expanding)
            node = nodes[expanding]
            fresh = [neighbour for neighbour in node.links[level] if neighbour not in met] if node else []
            if not fresh:
                continue
            met.update(fresh)
            for near in zip((-(directions[fresh] @ direction)).tolist(), fresh, strict=True):
                if len(found) >= ef:
                    if near > found[-1]:
                        continue
                    found.pop()
                insort(found, near)
                if near < found[at]:
                    at = found.index(near, 0, at + 1)
        return found

    def _choose(self, candidates: list[_Near], most: int) -> list[int]:
        """Returns those of the candidates, which are in order, that are not nearer to one that is returned already."""
        if not candidates:
            return []
        rows = self._directions.numbers[[node for _, node in candidates]]
        nearness = -np.array([near for near, _ in candidates])
        # A bit for each candidate that one shuts out.
        bits = np.packbits(rows @ rows.T > nearness[:, np.newaxis], axis=1)
        chosen: list[int] = []
        taken = 0
        for at, (_, node) in enumerate(candidates):
            if int.from_bytes(bits[at].tobytes()) & taken:
                continue
            chosen.append(node)
            if len(chosen) == most:
                break
            taken |= 1 << 8 * bits.shape[1] - 1 - at
        return chosen

    def _choose_anew(self, node: int, level: int, candidates: Iterable[int]) -> None:
        nodes = list(candidates)
        directions = self._directions.numbers
        near = sorted(zip((-(directions[nodes] @ directions[node])).tolist(), nodes, strict=True))
        chosen = self._choose(near, self._most(level))
        for old in self._node(node).links[level]:
            self._node(old).referrers[level].discard(node)
        for fresh in chosen:
            self._node(fresh).referrers[level].add(node)
        self._node(node).links[level] = chosen

    def _connect(self, node: int, level: int, neighbours: list[int]) -> None:
        """Makes nodes the neighbours of a new one, and the new one theirs."""
        self._node(node).links[level] = neighbours
        for neighbour in neighbours:
            self._node(neighbour).referrers[level].add(node)
            links = self._node(neighbour).links[level]
            links.append(node)
            self._node(node).referrers[level].add(neighbour)
            if len(links) > self._most(level):
                self._choose_anew(neighbour, level, links)

    def _create(self, stored: Stored, direction: Doubles, level: int) -> int:
        created = _Node({stored: None}, [[] for _ in range(level + 1)], [set() for _ in range(level + 1)])
        if self._free:
            node = self._free.pop()
            self._nodes[node] = created
        else:
            node = len(self._nodes)
            self._nodes.append(created)
        self._directions.set(node, direction)
        return node

    def _highest(self) -> int | None:
        """Returns the lowest of the nodes on the highest level."""
        levels = [(-len(node.links), number) for number, node in enumerate(self._nodes) if node]
        return min(levels)[1] if levels else None

    @property
    def _size(self) -> int:
        return len(self._nodes) - len(self._free)

    def _live(self) -> list[int]:
        return [number for number, node in enumerate(self._nodes) if node]

    def _most(self, level: int) -> int:
        return 2 * self.options.m if level == 0 else self.options.m

    def _top_of(self, node: int) -> int:
        return len(self._node(node).links) - 1

    def _node(self, number: int) -> _Node:
        node = self._nodes[number]
        assert node is not None, "a link leads to a node that is gone"  # noqa: S101
        return node
