"""The best of many."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ._checks import Doubles, Floats
from ._entry import Stored

__all__ = ["Scored", "best", "promising"]

Scored = tuple[float, Stored]
"""An entry, and how near its vector is."""

_ORDINARY = 2.0**-40, 2.0**60


def best(scored: Iterable[Scored], count: int, threshold: float | None) -> list[Scored]:
    """Returns the best of those with a score that is not below the threshold, in their order.

    The highest score is first, of equal ones the lower key.
    """
    passed = scored if threshold is None else (one for one in scored if one[0] >= threshold)
    return sorted(passed, key=lambda one: (-one[0], one[1].key))[:count]


def promising(
    rows: Floats, squares: Doubles, vector: Floats, squared: float, count: int, threshold: float | None
) -> list[int]:
    """Returns the rows that may be among the best `count`, found by one product of floats of 32 bits.

    Such a product is wrong by less than (n + 2) 2^-24 times the lengths for n dimensions, however it is added up, as
    long as nothing in it overflows; so are the scores. Rows that are not clearly below the best `count` stay, and so
    do those of extraordinary length. What the margin has too much is a few rows more to be counted exactly.
    """
    if squared == 0 or len(rows) <= count:
        return list(range(len(rows)))
    lengths = np.sqrt(squares)
    margin = (len(vector) + 16) * 2.0**-23
    with np.errstate(all="ignore"):
        of_length_1 = (vector.astype(np.float64) / math.sqrt(squared)).astype(np.float32)
        about = (rows @ of_length_1).astype(np.float64) / lengths
    ordinary = (lengths >= _ORDINARY[0]) & (lengths <= _ORDINARY[1])
    about[~ordinary] = -np.inf
    lowest = np.partition(about, -count)[-count]
    if threshold is not None:
        lowest = max(lowest, threshold)
    stay: list[int] = np.flatnonzero((about >= lowest - margin) | ~ordinary).tolist()
    return stay
