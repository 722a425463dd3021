"""Reassemblies: the words of an answer, some of them from the line."""

from __future__ import annotations

from collections.abc import Sequence

from ._script import Part

__all__ = ["reassemble"]


def reassemble(parts: Sequence[Part], words: Sequence[str], bounds: Sequence[int]) -> list[str]:
    """Return the words that the parts stand for, given the line's words and the bounds that `decompose` found."""
    result: list[str] = []
    for part in parts:
        if isinstance(part, int):
            result.extend(words[bounds[part - 1] : bounds[part]])
        else:
            result.append(part)
    return result
