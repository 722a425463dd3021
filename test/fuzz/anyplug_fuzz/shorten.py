"""Writes bytes again with tags and lengths in as few bytes as they take."""

from collections.abc import Iterator
from typing import Any

from .wire import END, FIXED32, FIXED64, LENGTH, START, VARINT, varint

__all__ = ("TIMES", "has_time_in_parts", "shortened")

TIMES = {"google.protobuf.Timestamp", "google.protobuf.Duration"}


def shortened(data: bytes, descriptor: Any) -> bytes:
    """Returns a message of the type with tags and lengths as short as can be.

    From where the bytes are no message any more they are as they were.
    """
    out = bytearray()
    at = 0
    while at < len(data):
        start = at
        try:
            tag, at = _varint(data, at)
            value, at = _value(data, at, tag, descriptor)
        except (IndexError, ValueError):
            return bytes(out) + data[start:]
        out += varint(tag) + value
    return bytes(out)


def has_time_in_parts(data: bytes, descriptor: Any) -> bool:
    """Returns whether there are two times somewhere, which may be parts of one."""
    return sum(kind.full_name in TIMES for kind, _ in _messages(data, descriptor)) > 1


def _messages(data: bytes, descriptor: Any) -> Iterator[tuple[Any, int]]:
    """Yields the type of each message in the bytes, at all levels, and what the wire has for it."""
    at = 0
    while at < len(data):
        try:
            tag, at = _varint(data, at)
            start = at
            field = descriptor.fields_by_number.get(tag >> 3)
            message = None if field is None else field.message_type
            if message is not None:
                yield message, tag & 7
            _, at = _value(data, at, tag, None)
        except (IndexError, ValueError):
            return
        if message is not None and tag & 7 == LENGTH:
            yield from _messages(_content(data[start:at]), message)


def _content(delimited: bytes) -> bytes:
    _, start = _varint(delimited, 0)
    return delimited[start:]


def _value(data: bytes, at: int, tag: int, descriptor: Any) -> tuple[bytes, int]:
    match tag & 7:
        case type_ if type_ == VARINT:
            _, end = _varint(data, at)
        case type_ if type_ in {FIXED32, FIXED64}:
            end = at + (4 if type_ == FIXED32 else 8)
        case type_ if type_ == LENGTH:
            length, at = _varint(data, at)
            end = at + length
            if end > len(data):
                raise ValueError
            field = None if descriptor is None else descriptor.fields_by_number.get(tag >> 3)
            inner = data[at:end]
            if field is not None and field.message_type is not None:
                inner = shortened(inner, field.message_type)
            return varint(len(inner)) + inner, end
        case type_ if type_ == START:
            return _group(data, at, tag)
        case _:
            raise ValueError
    if end > len(data):
        raise ValueError
    return data[at:end], end


def _group(data: bytes, at: int, start: int) -> tuple[bytes, int]:
    out = bytearray()
    while True:
        tag, at = _varint(data, at)
        out += varint(tag)
        if tag & 7 == END:
            if tag >> 3 != start >> 3:
                raise ValueError
            return bytes(out), at
        value, at = _value(data, at, tag, None)
        out += value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
    raise ValueError
