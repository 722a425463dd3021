"""What a message means in a language: what the language's types for it can hold, as bytes that can be compared."""

import datetime
import math
from collections.abc import Iterator
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet  # type: ignore[import-untyped]

from .shorten import TIMES, shortened

__all__ = ("depth", "has_odd_entries", "meaning")

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_WRAPPERS = {"Bool", "Int32", "Int64", "UInt32", "UInt64", "Float", "Double", "String", "Bytes"}
_JSON = {"Struct", "Value", "ListValue", "FieldMask"}
_PROST = {*_JSON, "Any", "Timestamp", "Duration"}


def meaning(message: Any, language: str, *, with_times: bool = True) -> bytes | None:
    """Returns what the types of a language hold of a message; None when they cannot hold it."""
    same = type(message)()
    same.CopyFrom(message)
    if not with_times:
        _drop_times(same)
    try:
        _reduce(same, language)
    except OverflowError:
        return None
    # upb keeps the tag of an unknown field as it came, TypeScript in as few bytes as it takes.
    return shortened(same.SerializeToString(deterministic=True), same.DESCRIPTOR)


def depth(message: Any) -> int:
    """Returns how many messages lie within one another, this one included."""
    return 1 + max((depth(part) for part in _parts(message)), default=0)


def has_odd_entries(message: Any, language: str) -> bool:
    """Returns whether there are entries of maps somewhere with fields that are neither key nor value.

    To upb, such an entry is an unknown field. A Struct has no place for one in TypeScript and Rust.
    """
    if language != "Python" and message.DESCRIPTOR.full_name == "google.protobuf.Struct":
        return False
    fields = message.DESCRIPTOR.fields_by_number
    numbers = {unknown.field_number for unknown in UnknownFieldSet(message) if unknown.wire_type == 2}
    return any(number in fields and _is_map(fields[number]) for number in numbers) or any(
        has_odd_entries(part, language) for part in _parts(message)
    )


def _is_map(field: Any) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _parts(message: Any) -> Iterator[Any]:
    for field, value in message.ListFields():
        if _is_map(field):
            if field.message_type.fields_by_name["value"].message_type is not None:
                yield from value.values()
        elif field.message_type is not None:
            yield from value if field.is_repeated else [value]


def _reduce(message: Any, language: str) -> None:
    _same_nan(message)
    package, _, name = message.DESCRIPTOR.full_name.rpartition(".")
    if package == "google.protobuf":
        if name.removesuffix("Value") in _WRAPPERS:
            # A plain value stands for the message.
            message.DiscardUnknownFields()
        elif language == "TypeScript" and name in _JSON:
            _as_json(message, name)
        elif language == "Rust" and name in _PROST:
            message.DiscardUnknownFields()
        elif language == "Python" and name in {"Timestamp", "Duration"}:
            _as_datetime(message, name)
    for part in _parts(message):
        _reduce(part, language)


def _same_nan(message: Any) -> None:
    """There are many NaNs, and few of them survive being a number of a language."""
    for field, value in message.ListFields():
        if _is_map(field):
            for key in list(value):
                if isinstance(value[key], float) and math.isnan(value[key]):
                    value[key] = math.nan
        elif field.is_repeated and field.message_type is None:
            for index, item in enumerate(value):
                if isinstance(item, float) and math.isnan(item):
                    value[index] = math.nan
        elif isinstance(value, float) and math.isnan(value):
            setattr(message, field.name, math.nan)


def _drop_times(message: Any) -> None:
    for field, _ in message.ListFields():
        if field.message_type is not None and field.message_type.full_name in TIMES:
            message.ClearField(field.name)
    for part in _parts(message):
        _drop_times(part)


def _as_json(message: Any, name: str) -> None:
    """Plain values of JavaScript stand for them: no unknown fields, one null, and none for a value without a kind."""
    message.DiscardUnknownFields()
    if name == "Value":
        if message.WhichOneof("kind") is None:
            raise OverflowError
        if message.WhichOneof("kind") == "null_value":
            message.null_value = 0


def _as_datetime(message: Any, name: str) -> None:
    """datetime and timedelta have microseconds, and a range."""
    message.DiscardUnknownFields()
    if name == "Timestamp":
        micros = message.seconds * 10**6 + message.nanos // 1000
        _ = _EPOCH + datetime.timedelta(microseconds=micros)
        message.seconds, message.nanos = micros // 10**6, micros % 10**6 * 1000
        return
    nanos = message.seconds * 10**9 + message.nanos
    micros = abs(nanos) // 1000
    _ = datetime.timedelta(microseconds=micros)
    sign = -1 if nanos < 0 else 1
    message.seconds, message.nanos = sign * (micros // 10**6), sign * (micros % 10**6 * 1000)
