"""Holds the answers of the codecs against what upb makes of the same bytes."""

from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from .meaning import depth, has_odd_entries, meaning
from .schema import MESSAGES
from .shorten import has_time_in_parts
from .testees import Answer

__all__ = ("difference",)

# Where a codec may differ from upb is said here, and in docs/conformance.md.

_FIELD_0 = ("field no 0", "field number 0")
"""Field number 0 is nowhere allowed; upb takes it within groups that it skips."""

_PYTHON = ("do not fit in a", "nested more than 100 deep")
"""datetime and timedelta have a range, which each part of a time in parts must be in. A message that an entry of a map
does not have counts as a level."""


def difference(name: str, data: bytes, language: str, answer: Answer) -> str | None:
    """Returns in what a codec differs from upb; None where it does not, or may."""
    expected = _parse(name, data)
    if isinstance(answer, str):
        return None if expected is None or _may_refuse(language, answer) else f"rejects what upb accepts: {answer}"
    if expected is None:
        return "accepts what upb rejects"
    again = _parse(name, answer)
    if again is None:
        # A message that an entry of a map did not have is written, one level deeper than the entry.
        return None if depth(expected) >= 100 else "writes what upb rejects"
    return _other_meaning(data, language, expected, again)


def _other_meaning(data: bytes, language: str, expected: Any, again: Any) -> str | None:
    means = meaning(expected, language)
    if means is None:
        return None if language == "TypeScript" else "accepts what its types cannot hold"
    if has_odd_entries(expected, language):
        # upb writes them in an order of its own.
        return None if has_odd_entries(again, language) else "loses an entry of a map with a field too many"
    if meaning(again, language) == means:
        return None
    if language == "Python" and has_time_in_parts(data, expected.DESCRIPTOR):
        # Each part becomes a datetime or timedelta, which has no more nanoseconds than a second has.
        without = [meaning(message, language, with_times=False) for message in (expected, again)]
        return None if without[0] == without[1] else "takes it for something else, also but for times"
    return "takes it for something else"


def _parse(name: str, data: bytes) -> Any:
    try:
        return MESSAGES[name].FromString(data)
    except DecodeError:
        return None


def _may_refuse(language: str, answer: str) -> bool:
    return any(text in answer for text in (*_FIELD_0, *(_PYTHON if language == "Python" else ())))
