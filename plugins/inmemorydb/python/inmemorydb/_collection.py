"""A collection: entries by their keys, their vectors, and an index where it was asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ._best import Scored, best, promising
from ._checks import Doubles, Floats, check_dimensions
from ._direction import direction
from ._entry import Accepted, Stored
from ._graph import Graph, GraphOptions
from ._metadata import Filter
from ._rows import Rows
from ._score import cosines, square

__all__ = ["Collection", "CollectionOptions", "Query"]

_BLOCK = 4096


@dataclass(slots=True, frozen=True)
class Query:
    """What is searched for."""

    vector: Floats
    count: int
    threshold: float | None
    filter: Filter | None
    exact: bool
    ef_search: int
    """0: as the index says."""


@dataclass(slots=True, frozen=True)
class CollectionOptions:
    """What a collection is made with."""

    dimensions: int = 0
    """0: as many as the first vector has."""
    graph: GraphOptions | None = None
    """None: no index."""


class Collection:
    """Entries by their keys."""

    def __init__(self, name: str, options: CollectionOptions | None = None) -> None:
        self.name = name
        self.options = options or CollectionOptions()
        self._empty()

    def _empty(self) -> None:
        self._entries: dict[str, Stored] = {}
        # The vectors, without gaps; their dimensions are 0 before they are known.
        self._rows = Rows(self.options.dimensions, np.float32)
        self._squares = Rows(1, np.float64)
        self._owners: list[Stored] = []
        self._graph: Graph | None = None
        # Those with vectors of zeros, which are in no graph.
        self._zeros: dict[Stored, None] = {}

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self._entries)

    @property
    def dimensions(self) -> int:
        """How many dimensions its vectors have; 0: not known yet."""
        return self._rows.dimensions

    def check(self, entries: Iterable[tuple[str, Accepted]]) -> None:
        """Refuses entries whose vectors do not fit."""
        dimensions = self.dimensions
        for place, entry in entries:
            if len(entry.vector):
                check_dimensions(f"{place}.vector", len(entry.vector), dimensions, self.name)
                dimensions = len(entry.vector)

    def get(self, key: str) -> Stored | None:
        """Returns the entry with a key."""
        return self._entries.get(key)

    def vector_of(self, stored: Stored) -> Floats | None:
        """Returns the vector of an entry."""
        return None if stored.row < 0 else self._rows.numbers[stored.row]

    def set(self, entry: Accepted) -> bool:
        """Stores an entry that was checked; returns whether it took the place of another."""
        replaced = self.delete(entry.key)
        stored = self._entries[entry.key] = Stored(entry.key, entry.value, entry.metadata)
        if len(entry.vector):
            self._add_vector(stored, entry.vector)
        return replaced

    def delete(self, key: str) -> bool:
        """Removes an entry; returns whether it was there."""
        stored = self._entries.pop(key, None)
        if stored is None:
            return False
        if stored.row >= 0:
            self._remove_vector(stored)
        return True

    def clear(self) -> int:
        """Removes all entries; returns how many there were."""
        removed = self.size
        self._empty()
        return removed

    def matching(self, filter: Filter | None) -> Iterator[Stored]:  # noqa: A002 - as the schema has it
        """Returns the entries that a filter lets through, in no order."""
        return (stored for stored in self._entries.values() if filter is None or filter(stored.metadata))

    def list(self, filter: Filter | None, after: str, limit: int) -> list[Stored]:  # noqa: A002
        """Returns entries in order of their keys."""
        found = sorted((one for one in self.matching(filter) if one.key > after), key=lambda one: one.key)
        return found[:limit] if limit else found

    def search(self, query: Query) -> Sequence[Scored]:
        """Returns the entries whose vectors are nearest to one that fits."""
        squared = square(query.vector)
        rows = self._candidates(query, squared)
        scored: list[Scored] = []
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            scores = cosines(self._rows.numbers[block], self._all_squares()[block], query.vector, squared)
            scored.extend(zip(scores.tolist(), (self._owners[row] for row in block), strict=True))
        return best(scored, query.count, query.threshold)

    def _candidates(self, query: Query, squared: float) -> Sequence[int]:
        """Returns the rows to be looked at: what the graph finds, or what is promising of all where it would not do."""
        if query.filter is not None:
            return [stored.row for stored in self.matching(query.filter) if stored.row >= 0]
        count = len(self._owners)
        if self._graph is not None and not query.exact and squared:
            asked = max(query.ef_search, query.count) if query.ef_search else None
            ef = asked or self._graph.candidates(query.count)
            if ef is not None and ef < count:
                found = [*self._graph.search(direction(query.vector, math.sqrt(squared)), ef), *self._zeros]
                if len(found) >= query.count:
                    return [stored.row for stored in found]
        rows = self._rows.numbers[:count]
        return promising(rows, self._all_squares(), query.vector, squared, query.count, query.threshold)

    def _all_squares(self) -> Doubles:
        return self._squares.numbers[: len(self._owners), 0]

    def _add_vector(self, stored: Stored, vector: Floats) -> None:
        if not self.dimensions:
            self._rows = Rows(len(vector), np.float32)
        squared = square(vector)
        stored.row = len(self._owners)
        self._rows.set(stored.row, vector)
        self._squares.set(stored.row, np.array([squared]))
        self._owners.append(stored)
        if self.options.graph is None:
            return
        if self._graph is None:
            self._graph = Graph(self.options.graph, self.dimensions)
        if squared == 0:
            self._zeros[stored] = None
        else:
            stored.node = self._graph.add(stored, direction(vector, math.sqrt(squared)))

    def _remove_vector(self, stored: Stored) -> None:
        """The last row comes to where the gap would be."""
        last = self._owners.pop()
        if last is not stored:
            self._rows.set(stored.row, self._rows.numbers[last.row])
            self._squares.set(stored.row, self._squares.numbers[last.row])
            self._owners[stored.row] = last
            last.row = stored.row
        if stored.node >= 0 and self._graph is not None:
            self._graph.remove(stored)
        self._zeros.pop(stored, None)
