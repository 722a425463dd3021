"""Directions: what the index is made of. See `HnswIndex` in the schema for why their products are exact."""

from __future__ import annotations

import numpy as np

from ._checks import Doubles, Floats

__all__ = ["direction"]

_STEPS = 2.0**24


def direction(vector: Floats, length: float) -> Doubles:
    """Returns the direction of a vector of this length, which is not 0."""
    return np.rint(vector.astype(np.float64) / length * _STEPS) / _STEPS
