"""Makes messages at random by their descriptors, most of them nearly right."""

import random
import struct
from typing import Any

from .wire import END, FIXED32, FIXED64, LENGTH, START, VARINT, delimited, odd_varint, tag

__all__ = ("generate",)

_VARINTS = {3, 4, 5, 8, 13, 14, 17, 18}  # of FieldDescriptor.type: int, uint, bool, enum, sint
_FIXED64 = {1, 6, 16}
_FIXED32 = {2, 7, 15}
_NUMBERS = [0, 1, 2, 3, 127, 128, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1, 2**64 - 2]
_FLOATS = [0.0, -0.0, 1.5, float("inf"), float("-inf"), float("nan"), 1e300, 5e-324]
_TEXTS = [b"", b"a", "é€😀".encode(), b"\x00", b"\xef\xbb\xbf", b"x" * 130, "\ufffd".encode()]
_NOT_TEXTS = [
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xe2\x82",
    b"a\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\x80",
]


def generate(chance: random.Random, descriptor: Any) -> bytes:
    """Returns bytes that are nearly a message of the type."""
    data = _message(chance, descriptor, chance.choice([1, 2, 2, 3, 4]))
    if chance.random() < 0.02:
        data = _deep(chance, descriptor, data)
    return data if chance.random() < 0.7 else _damaged(chance, data)


def _message(chance: random.Random, descriptor: Any, depth: int) -> bytes:
    fields = list(descriptor.fields)
    parts = []
    for _ in range(chance.choice([0, 1, 1, 2, 2, 3, 4, 6, 9])):
        if not fields or chance.random() < 0.06:
            parts.append(_unknown(chance, depth))
        else:
            field = chance.choice(fields)
            # A field more than once: the last wins, messages are merged, members of a oneof replace one another.
            for _ in range(chance.choice([1, 1, 1, 1, 2, 3])):
                if field.containing_oneof is not None and chance.random() < 0.5:
                    field = chance.choice(list(field.containing_oneof.fields))
                parts.append(_field(chance, field, depth))
    if chance.random() < 0.1:
        chance.shuffle(parts)
    return b"".join(parts)


def _field(chance: random.Random, field: Any, depth: int) -> bytes:
    if chance.random() < 0.03:
        return tag(chance, field.number, chance.randint(0, 7)) + chance.choice(
            [b"\x00", b"\x01", b"\x02\x00\x00", b"\x00" * 4, b"\x00" * 8, b"\x80\x01" + b"\x01" * 128, b""]
        )
    is_number = field.type in _VARINTS | _FIXED32 | _FIXED64
    # Packed or not, whatever the schema says; the last is cut short sometimes.
    if is_number and chance.random() < (0.5 if field.is_repeated else 0.01):
        data = b"".join(_value(chance, field, depth)[1] for _ in range(chance.randint(0, 4)))
        return tag(chance, field.number, LENGTH) + delimited(chance, data if chance.random() < 0.98 else data[:-1])
    wire_type, data = _value(chance, field, depth)
    return tag(chance, field.number, wire_type) + data


def _value(chance: random.Random, field: Any, depth: int) -> tuple[int, bytes]:
    if field.type in _VARINTS:
        return VARINT, odd_varint(chance, _number(chance))
    if field.type in _FIXED64:
        return FIXED64, _bits(chance, "<d" if field.type == 1 else "<Q")
    if field.type in _FIXED32:
        return FIXED32, _bits(chance, "<f" if field.type == 2 else "<I")
    return LENGTH, delimited(chance, _content(chance, field, depth))


def _content(chance: random.Random, field: Any, depth: int) -> bytes:
    if field.type == 9:
        return chance.choice(_TEXTS if chance.random() < 0.97 else _NOT_TEXTS)
    if field.type == 12:
        return chance.randbytes(chance.choice([0, 1, 3, 200]))
    if field.message_type.GetOptions().map_entry:
        return _entry(chance, field.message_type, depth)
    return _message(chance, field.message_type, depth - 1) if depth > 0 else b""


def _entry(chance: random.Random, entry: Any, depth: int) -> bytes:
    key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
    order = chance.choice(
        [(key, value), (key, value), (key, value), (value, key), (key,), (value,), (), (key, key, value, value)]
    )
    data = b"".join(_field(chance, part, depth - 1) for part in order)
    return data + _unknown(chance, 0) if chance.random() < 0.03 else data


def _unknown(chance: random.Random, depth: int) -> bytes:
    number = chance.choice([0, 500, 501, 777, 999, 15000, 2**28, 2**29 - 1]) if chance.random() < 0.3 else 777
    match chance.randint(0, 7):
        case 0:
            return tag(chance, number, FIXED32) + chance.randbytes(4)
        case 1:
            return tag(chance, number, FIXED64) + chance.randbytes(8)
        case 2 | 3:
            return tag(chance, number, LENGTH) + delimited(chance, chance.randbytes(chance.randint(0, 5)))
        case 4 | 5:
            inner = b"".join(_unknown(chance, depth - 1) for _ in range(chance.randint(0, 2))) if depth > 0 else b""
            end = number if chance.random() < 0.97 else chance.choice([0, 1, number + 1])
            closed = tag(chance, end, END) if chance.random() < 0.97 else b""
            return tag(chance, number, START) + inner + closed
        case 6 if chance.random() < 0.1:
            return tag(chance, number, chance.choice([END, 6, 7]))
        case _:
            return tag(chance, number, VARINT) + odd_varint(chance, _number(chance))


def _deep(chance: random.Random, descriptor: Any, data: bytes) -> bytes:
    """Puts bytes as deep as is allowed, or a little deeper: into fields of the type itself, or groups."""
    depth = chance.choice([60, 98, 99, 100, 101, 120])
    own = [field for field in descriptor.fields if field.message_type is descriptor]
    if not own or chance.random() < 0.3:
        return _tag(900, START) * depth + data + _tag(900, END) * depth
    field = chance.choice(own)
    for _ in range(depth):
        data = _tag(field.number, LENGTH) + odd_varint(random.Random(0), len(data)) + data
    return data


def _tag(number: int, wire_type: int) -> bytes:
    return tag(random.Random(0), number, wire_type)


def _number(chance: random.Random) -> int:
    return chance.choice(_NUMBERS) if chance.random() < 0.6 else chance.getrandbits(chance.choice([3, 8, 31, 32, 64]))


def _bits(chance: random.Random, layout: str) -> bytes:
    size = struct.calcsize(layout)
    if chance.random() < 0.1:
        return chance.randbytes(size)
    if layout in {"<d", "<f"}:
        return struct.pack(layout, chance.choice(_FLOATS if layout == "<d" else _FLOATS[:-2]))
    return struct.pack(layout, _number(chance) & (2 ** (8 * size) - 1))


def _damaged(chance: random.Random, data: bytes) -> bytes:
    result = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randint(0, len(result))
        match chance.randint(0, 5):
            case 0:
                del result[at : at + chance.randint(1, 3)]
            case 1:
                result[at:at] = chance.randbytes(chance.randint(1, 4))
            case 2 if at < len(result):
                result[at] ^= 1 << chance.randint(0, 7)
            case 3:
                del result[at:]
            case 4:
                result[at:at] = result[: min(at, 300)]
            case _ if at < len(result):
                result[at] = chance.choice([0, 1, 2, 0x7F, 0x80, 0xFF])
    return bytes(result)
