"""What a codec takes for a message, and what it writes."""

from __future__ import annotations

import struct

from wire import Json, data, number


def message_vectors() -> list[Json]:
    out: list[Json] = []

    def taken(name: str, raw: bytes, again: bytes | None = None) -> None:
        out.append({"name": name, "bytes": raw.hex(), "again": (raw if again is None else again).hex()})

    def refused(name: str, raw: bytes) -> None:
        out.append({"name": name, "bytes": raw.hex(), "error": True})

    one, text = number(3, 1), data(14, "a")
    taken("a message in parts is the parts together", data(17, one) + data(17, text), data(17, one + text))
    taken("so is a message in a oneof", data(31, one) + data(31, text), data(31, one + text))
    taken("a member of a oneof ends what was there before", data(31, one) + data(29, "a") + data(31, text), data(31, text))
    taken("the last member of a oneof counts", data(29, "a") + number(30, 7), number(30, 7))
    taken("a wrapped value in parts keeps what the last does not say", data(38, number(1, 7)) + data(38, b"", explicit=True), data(38, number(1, 7)))
    taken("-0.0 is not the default", struct.pack("<Bd", 1 << 3 | 1, -0.0))
    taken("nor is it in a float", struct.pack("<Bf", 2 << 3 | 5, -0.0))
    unknown = number(777, 1) + data(778, "b") + number(777, 2)
    taken("unknown fields keep their order", unknown)
    taken("unknown fields of a message within", data(17, one + unknown))
    taken("a field of another wire type is unknown", data(3, "b"))
    taken("an entry of a map with a field too many is unknown", data(25, data(1, "k") + data(2, "v") + number(3, 1)))
    taken("the value that an enum does not name is kept", number(16, 99))
    taken("a negative one too", number(16, -1))
    taken("numbers that come one by one are packed", number(20, 1) + number(20, 2), data(20, b"\x01\x02"))
    taken("numbers that come packed are written one by one", data(21, b"\x01\x02"), number(21, 1) + number(21, 2))
    taken("a number in more bytes than it takes", b"\x18\x81\x80\x00", one)
    taken("a number of more bits than its field", b"\x18\x81\x80\x80\x80\x10", one)
    taken("of ten bytes of a number, bits over 64 do not count", b"\x18" + b"\x81" + b"\x80" * 8 + b"\x7e", one)
    taken("a tag in more bytes than it takes", b"\x98\x80\x00\x01", one)
    taken("U+FEFF begins a text", data(14, "\ufeffa"))
    refused("a number of eleven bytes", b"\x18" + b"\x80" * 10 + b"\x01")
    refused("an unknown number of eleven bytes", b"\xc8\x30" + b"\x80" * 10 + b"\x01")
    refused("a tag of six bytes", b"\x98\x80\x80\x80\x80\x00\x01")
    refused("a tag of more than 32 bits", b"\x98\x80\x80\x80\x10\x01")
    refused("a length of six bytes", b"\x72\x81\x80\x80\x80\x80\x00a")
    refused("a length of six bytes in an unknown field", b"\xca\x30\x81\x80\x80\x80\x80\x00a")
    refused("a length over 2 GiB", b"\x72\x80\x80\x80\x80\x08")
    refused("a length of 2^32 + 1, of which 32 bits are 1", b"\x72\x81\x80\x80\x80\x10a")
    refused("field number 0", b"\x00\x01")
    refused("a wire type that there is not", b"\x1e\x01")
    refused("the end of a group that was not begun", b"\xcc\x30")
    refused("the end of another group", b"\xcb\x30\xd4\x30")
    refused("a group without an end", b"\xcb\x30\xc8\x30\x01")
    refused("text that is not UTF-8", b"\x72\x02\xc3\x28")
    refused("half of a surrogate pair", b"\x72\x03\xed\xa0\x80")
    refused("text that is cut short", b"\x72\x05ab")
    refused("a field that reaches past the end of its message", b"\x8a\x01\x02\x18\x80\x01")
    refused("packed numbers of which the last reaches past the end", b"\xa2\x01\x01\x80\x01")
    refused("a packed double that is cut short", b"\x09\x00\x00\x00")

    def nested(depth: int) -> bytes:
        return data(17, nested(depth - 1), explicit=True) if depth else b""

    taken("a hundred messages within one another", nested(100))
    refused("a hundred and one", nested(101))
    refused("a hundred and one groups", b"\xcb\x30" * 101 + b"\xcc\x30" * 101)
    return out
