"""Metadata, and what is asked of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from anyplug_generated.inmemorydb.v1 import Condition, MetadataValue

from ._checks import check_text, refusal

__all__ = ["Filter", "Metadata", "Scalar", "filter_of", "read_metadata", "write_metadata"]

Scalar: TypeAlias = str | float | bool
"""What a member of the metadata is."""

Metadata: TypeAlias = Mapping[str, Scalar]
"""The metadata of an entry."""

Filter: TypeAlias = Callable[[Metadata], bool]
"""Says whether metadata is as it must be."""

_Test: TypeAlias = Callable[[Scalar | None], bool]


def read_metadata(place: str, members: Mapping[str, MetadataValue]) -> Metadata:
    """Reads the metadata of an entry; of several members that are wrong it names the lowest."""
    return {name: _scalar_of(f'{place}["{name}"]', members[name]) for name in sorted(members)}


def write_metadata(metadata: Metadata) -> dict[str, MetadataValue]:
    """Returns metadata as a message has it."""
    return {name: _value_of(value) for name, value in metadata.items()}


def filter_of(conditions: Sequence[Condition]) -> Filter | None:
    """Returns whether all conditions hold; None if there are none."""
    if not conditions:
        return None
    tests = [(condition.field, _test_of(f"filter[{at}]", condition)) for at, condition in enumerate(conditions)]
    return lambda metadata: all(test(metadata.get(field)) for field, test in tests)


def _test_of(place: str, condition: Condition) -> _Test:  # noqa: PLR0911 - a line for each test
    if condition.equals is not None:
        return _equality([_scalar_of(f"{place}.equals", condition.equals)])
    if condition.not_equals is not None:
        equals = _equality([_scalar_of(f"{place}.not_equals", condition.not_equals)])
        return lambda value: not equals(value)
    if condition.any_of is not None:
        values = enumerate(condition.any_of.values)
        return _equality([_scalar_of(f"{place}.any_of[{at}]", value) for at, value in values])
    if condition.less_than is not None:
        return _comparison(_scalar_of(f"{place}.less_than", condition.less_than), lambda order: order < 0)
    if condition.at_most is not None:
        return _comparison(_scalar_of(f"{place}.at_most", condition.at_most), lambda order: order <= 0)
    if condition.greater_than is not None:
        return _comparison(_scalar_of(f"{place}.greater_than", condition.greater_than), lambda order: order > 0)
    if condition.at_least is not None:
        return _comparison(_scalar_of(f"{place}.at_least", condition.at_least), lambda order: order >= 0)
    if condition.exists is not None:
        exists = condition.exists
        return lambda value: (value is not None) == exists
    raise refusal(f"{place}: expected a test, got nothing")


def _equality(given: Sequence[Scalar]) -> _Test:
    """Python's own equality has `True == 1`."""
    tagged = {(type(value), value) for value in given}
    return lambda value: (type(value), value) in tagged


def _comparison(given: Scalar, holds: Callable[[int], bool]) -> _Test:
    return lambda value: value is not None and type(value) is type(given) and holds(_compare(value, given))


def _compare(a: Scalar, b: Scalar) -> int:
    """Compares two of one kind."""
    if isinstance(a, str) or isinstance(b, str):
        a, b = str(a), str(b)
        return (a > b) - (a < b)
    return (a > b) - (a < b)


def _scalar_of(place: str, value: MetadataValue) -> Scalar:
    if value.text is not None:
        check_text(place, value.text)
        return value.text
    if value.number is not None:
        number = float(value.number)
        if not math.isfinite(number):
            raise refusal(f"{place}: expected a finite number")
        return number
    if value.flag is not None:
        return bool(value.flag)
    raise refusal(f"{place}: expected text, a number or a flag, got nothing")


def _value_of(value: Scalar) -> MetadataValue:
    if isinstance(value, str):
        return MetadataValue(text=value)
    return MetadataValue(flag=value) if isinstance(value, bool) else MetadataValue(number=value)
