"""Writes the wire format, also as nobody should."""

import random

__all__ = ("LENGTH", "delimited", "tag", "varint")

VARINT, FIXED64, LENGTH, START, END, FIXED32 = range(6)


def varint(value: int, padding: int = 0) -> bytes:
    """Returns a number in base 128, with so many bytes more than it takes."""
    out = bytearray()
    value &= (1 << 70) - 1
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    if padding == 0:
        return bytes([*out, value])
    return bytes([*out, value | 0x80, *[0x80] * (padding - 1), 0])


def odd_varint(chance: random.Random, value: int) -> bytes:
    """Returns a number, now and then longer than it need be, or too long."""
    if chance.random() < 0.97:
        return varint(value)
    match chance.randint(0, 3):
        case 0:
            return varint(value, chance.randint(1, 10))
        case 1:
            return b"\xff" * 9 + bytes([chance.choice([0, 1, 2, 0x7F, 0x80])])
        case 2:
            return varint(value | 1 << chance.choice([31, 32, 33, 35, 62, 63, 64, 66]))
        case _:
            return b"\x80" * chance.randint(1, 11) + bytes([chance.randint(0, 127)])


def tag(chance: random.Random, number: int, wire_type: int) -> bytes:
    """Returns the tag of a field, now and then in an odd form."""
    return odd_varint(chance, number << 3 | wire_type)


def delimited(chance: random.Random, data: bytes) -> bytes:
    """Returns bytes behind their length, which now and then is a lie."""
    length = len(data)
    if chance.random() < 0.005:
        length = max(0, length + chance.choice([-2, -1, 1, 2, 127, 1 << 31, 1 << 32, (1 << 63) - 1]))
    return odd_varint(chance, length) + data
