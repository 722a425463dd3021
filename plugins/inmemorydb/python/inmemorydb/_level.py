"""The levels of new nodes."""

from __future__ import annotations

__all__ = ["Levels"]

_MASK = 0xFFFF_FFFF


class Levels:
    """Draws levels: each next one with a chance of 1 in `m`."""

    __slots__ = ("_bound", "_state")

    def __init__(self, m: int) -> None:
        """Begins with the first level of a graph."""
        self._state = 0
        self._bound = 2**32 // m

    def next(self) -> int:
        """Returns the level of the next node."""
        level = 0
        while self._random() < self._bound:
            level += 1
        return level

    def _random(self) -> int:
        """splitmix32."""
        self._state = (self._state + 0x9E37_79B9) & _MASK
        z = (self._state ^ self._state >> 16) * 0x85EB_CA6B & _MASK
        z = (z ^ z >> 13) * 0xC2B2_AE35 & _MASK
        return z ^ z >> 16
