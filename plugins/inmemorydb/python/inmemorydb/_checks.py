"""What is refused, and in which words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from anyplug import AnyplugError, Code

__all__ = [
    "MAX_DIMENSIONS",
    "Doubles",
    "Floats",
    "check_dimensions",
    "check_name",
    "check_text",
    "floats_of",
    "parameter",
    "refusal",
]

MAX_DIMENSIONS = 65_536
"""As many dimensions as a vector may have."""

Floats: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
Doubles: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def refusal(message: str) -> AnyplugError:
    """Returns INVALID_ARGUMENT."""
    return AnyplugError(Code.INVALID_ARGUMENT, message)


def check_name(place: str, name: str) -> None:
    """Refuses names and keys that are empty, or that are no text."""
    if not name:
        raise refusal(f"{place}: expected text, got nothing")
    check_text(place, name)


def check_text(place: str, text: str) -> None:
    """Refuses what no message can carry; between plugins of one process there is none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise refusal(f"{place}: expected Unicode text, got half of a surrogate pair") from None


def floats_of(place: str, vector: Sequence[float]) -> Floats:
    """Returns the numbers as floats."""
    with np.errstate(over="ignore"):
        floats = np.array(vector, np.float32)
    wrong = np.flatnonzero(~np.isfinite(floats))
    if wrong.size:
        raise refusal(f"{place}[{wrong[0]}]: expected a finite number of 32 bits")
    return floats


def check_dimensions(place: str, got: int, expected: int, collection: str) -> None:
    """Refuses a vector that has other dimensions than the collection; 0 says that it has none yet."""
    if expected not in (0, got):
        raise refusal(f'{place}: expected {expected} dimensions, as collection "{collection}" has, got {got}')
    if got > MAX_DIMENSIONS:
        raise refusal(f"{place}: expected at most {MAX_DIMENSIONS} dimensions, got {got}")


def parameter(place: str, value: int, usual: int, least: int, most: int) -> int:
    """Returns a parameter, or its usual value for 0."""
    chosen = value or usual
    if not least <= chosen <= most:
        raise refusal(f"{place}: expected {least} to {most}, got {chosen}")
    return chosen
