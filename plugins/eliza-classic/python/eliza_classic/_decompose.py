"""Decompositions: patterns over words, and how a line's words fall into their parts.

Leftmost and shortest for each `0`, from the left, is what taking the first place of each run of parts between two
zeros gives; so nothing is tried twice, and a match takes time in proportion to the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

__all__ = ["Decomposition", "Element", "decompose", "decomposition_of"]

#: One of these words, exactly so many words, or any number of words if it is 0.
Element = AbstractSet[str] | int


@dataclass(frozen=True, slots=True)
class _Run:
    """The parts between two zeros: together they take a fixed number of words.

    A test is the words that can stand at an offset. `lead` is the first test's word, if there is one only.
    """

    length: int
    part_lengths: tuple[int, ...]
    tests: tuple[tuple[int, AbstractSet[str]], ...]
    lead: str | None


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A pattern, cut into the runs before, between and after its zeros."""

    parts: int
    shortest: int
    runs: tuple[_Run, ...]

    @property
    def matches_everything(self) -> bool:
        """Whether there is nothing but zeros in it."""
        return len(self.runs) > 1 and self.shortest == 0


def decomposition_of(elements: Sequence[Element]) -> Decomposition:
    """Return the decomposition that consists of these elements."""
    runs: list[_Run] = []
    lengths: list[int] = []
    tests: list[tuple[int, AbstractSet[str]]] = []
    length = 0
    for element in (*elements, 0):  # the last run ends as if a zero followed
        if element == 0:
            lead = next(iter(tests[0][1])) if tests and isinstance(tests[0][1], frozenset) else None
            runs.append(_Run(length, tuple(lengths), tuple(tests), lead))
            lengths, tests, length = [], [], 0
            continue
        if not isinstance(element, int):
            tests.append((length, element))
        lengths.append(element if isinstance(element, int) else 1)
        length += lengths[-1]
    return Decomposition(len(elements), sum(run.length for run in runs), tuple(runs))


def decompose(decomposition: Decomposition, words: Sequence[str]) -> list[int] | None:
    """Return where the parts begin and end, or None if the words do not match.

    Part n, counted from 1, is `words[bounds[n - 1]:bounds[n]]`.
    """
    runs = decomposition.runs
    room = len(words) - decomposition.shortest
    if room < 0 or (room > 0 and len(runs) == 1) or not _fits(runs[0], words, 0):
        return None
    bounds = [0]
    _place(runs[0], bounds)
    for run in runs[1:-1]:
        start = _find(run, words, bounds[-1])
        if start < 0:
            return None
        bounds.append(start)
        _place(run, bounds)
    if len(runs) > 1:
        start = len(words) - runs[-1].length
        if start < bounds[-1] or not _fits(runs[-1], words, start):
            return None
        bounds.append(start)
        _place(runs[-1], bounds)
    return bounds


def _fits(run: _Run, words: Sequence[str], start: int) -> bool:
    for offset, accepted in run.tests:  # noqa: SIM110 -- all() of a generator takes three times as long
        if words[start + offset] not in accepted:
            return False
    return True


def _find(run: _Run, words: Sequence[str], start: int) -> int:
    """Return the first place from `start` on where the run fits, or -1."""
    last = len(words) - run.length
    offset = run.tests[0][0] if run.tests else 0
    while start <= last:
        if run.lead is not None:
            try:
                start = words.index(run.lead, start + offset, last + offset + 1) - offset
            except ValueError:
                return -1
        if _fits(run, words, start):
            return start
        start += 1
    return -1


def _place(run: _Run, bounds: list[int]) -> None:
    for length in run.part_lengths:
        bounds.append(bounds[-1] + length)
