"""Vectors of one length, one after the other in memory."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np

__all__ = ["Rows"]

_FIRST_CAPACITY = 64

Number = TypeVar("Number", np.float32, np.float64)


class Rows(Generic[Number]):
    """Rows of numbers, by their numbers."""

    __slots__ = ("_numbers", "dimensions")

    def __init__(self, dimensions: int, kind: type[Number]) -> None:
        self.dimensions = dimensions
        self._numbers: np.ndarray[tuple[int, int], np.dtype[Number]] = np.zeros((_FIRST_CAPACITY, dimensions), kind)

    @property
    def numbers(self) -> np.ndarray[tuple[int, int], np.dtype[Number]]:
        """All of them; what is beyond the last row that was set is no row."""
        return self._numbers

    def set(self, row: int, numbers: np.ndarray[tuple[int, ...], np.dtype[Number]]) -> None:
        """Sets a row; makes room for it where it is the next one."""
        if row == len(self._numbers):
            larger = np.zeros((2 * row, self.dimensions), self._numbers.dtype)
            larger[:row] = self._numbers
            self._numbers = larger
        self._numbers[row] = numbers
