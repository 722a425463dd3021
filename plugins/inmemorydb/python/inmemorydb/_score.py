"""The cosine, counted as the schema says, so that every language gets the same bits."""

from __future__ import annotations

import numpy as np

from ._checks import Doubles, Floats

__all__ = ["cosines", "dots", "square"]

_LANES = 8


def dots(rows: Floats, vector: Floats) -> Doubles:
    """Returns the sums of the products of each row and a vector, in doubles, in the order of the schema."""
    count, dimensions = rows.shape
    padded = -(-dimensions // _LANES) * _LANES
    products = np.zeros((count, padded), np.float64)
    np.multiply(rows, vector, out=products[:, :dimensions], dtype=np.float64)
    lanes = np.zeros((count, _LANES), np.float64)
    for start in range(0, padded, _LANES):
        lanes += products[:, start : start + _LANES]
    pairs = lanes[:, 0::2] + lanes[:, 1::2]
    fours: Doubles = pairs[:, 0::2] + pairs[:, 1::2]
    total: Doubles = fours[:, 0] + fours[:, 1]
    return total


def square(vector: Floats) -> float:
    """Returns the square of the length of a vector."""
    return float(dots(vector[np.newaxis], vector)[0])


def cosines(rows: Floats, squares: Doubles, vector: Floats, squared: float) -> Doubles:
    """Returns the cosines of rows and a vector with these squares, -1 to 1; 0 where one of them has no direction."""
    both = np.sqrt(squares * squared)
    scores = np.zeros(len(rows), np.float64)
    np.divide(dots(rows, vector), both, out=scores, where=both != 0)
    return np.clip(scores, -1.0, 1.0)
