"""The codec and protobuf's own implementation accept and reject the same bytes, and take them for the same."""

import random
from typing import Any

import pytest
from anyplug import encode
from anyplug._error import AnyplugError
from anyplug_generated.anyplug.test.v1 import Everything
from hypothesis import given, settings
from hypothesis import strategies as st

from . import upb


@settings(max_examples=400)
@given(upb.messages())
def test_what_upb_writes_is_read_and_written_again_byte_for_byte(theirs: Any) -> None:
    data = upb.serialized(theirs)
    ours = Everything.parse(data)
    assert bytes(ours) == data
    # upb has the entries of maps from the last key to the first; other implementations and this one, from the first.
    ordered = encode(ours, deterministic=True)
    assert upb.serialized(upb.Everything.FromString(ordered)) == data


def agree(data: bytes) -> bool:
    """Compares what the two make of bytes; returns whether they accept them."""
    try:
        theirs = upb.Everything.FromString(data)
    except upb.DecodeError:
        with pytest.raises(AnyplugError):
            Everything.parse(data)
        return False
    expected = upb.meaning(theirs)
    if expected is None:
        with pytest.raises(AnyplugError, match="do not fit in a"):
            Everything.parse(data)
        return False
    ours = bytes(Everything.parse(data))
    again = upb.Everything.FromString(ours)
    # Entries of maps with a field too many are unknown fields to both, but upb writes them in an order of its own.
    assert upb.has_odd_entries(again) == upb.has_odd_entries(theirs)
    assert upb.has_odd_entries(theirs) or upb.meaning(again) == expected
    # What is written once is written alike ever after.
    assert bytes(Everything.parse(ours)) == ours
    return True


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Returns the bytes with one to three of them changed, gone, doubled, or followed by others."""
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
                result[at:at] = result[: chance.randint(0, at)]
            case _ if at < len(result):
                result[at] = chance.choice([0, 1, 2, 0x7F, 0x80, 0xFF])
    return bytes(result)


@settings(max_examples=400)
@given(upb.messages(), st.randoms(use_true_random=False))
def test_damaged_bytes_are_taken_alike(theirs: Any, chance: random.Random) -> None:
    data = upb.serialized(theirs)
    for _ in range(8):
        agree(damaged(data, chance))


@settings(max_examples=400)
@given(st.binary(max_size=40))
def test_random_bytes_are_taken_alike(data: bytes) -> None:
    agree(data)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


# Field numbers near those of the schema, every wire type, short values: most of it nearly right.
_TOKENS = st.one_of(
    st.tuples(st.integers(0, 45), st.integers(0, 7)).map(lambda tag: _varint(tag[0] << 3 | tag[1])),
    st.integers(0, 2**64 - 1).map(_varint),
    st.integers(0, 12).map(lambda number: bytes([number])),
    st.binary(max_size=8),
    st.sampled_from([b"\x80" * 9 + b"\x01", b"\x80" * 9 + b"\x02", b"\x80" * 4 + b"\x10", b"\x88\x80\x80\x80\x00"]),
)


@settings(max_examples=1500)
@given(st.lists(_TOKENS, max_size=8).map(b"".join))
def test_nearly_right_bytes_are_taken_alike(data: bytes) -> None:
    agree(data)


@pytest.mark.parametrize("depth", [99, 100, 101])
@pytest.mark.parametrize("tag", [b"\x8a\x01", b"\xd2\x01", b"\xba\x01", b"\xfa\x01"])
def test_the_same_depth_is_too_deep(tag: bytes, depth: int) -> None:
    data = b""
    for _ in range(depth):
        # An entry of a map is a level of its own.
        inner = b"\x12" + _varint(len(data)) + data if tag == b"\xd2\x01" else data
        data = tag + _varint(len(inner)) + inner
    assert agree(data) == (depth <= (50 if tag == b"\xd2\x01" else 100))


@pytest.mark.parametrize("depth", [99, 100, 101])
def test_the_same_depth_of_groups_is_too_deep(depth: int) -> None:
    assert agree(b"\xa3\x06" * depth + b"\xa4\x06" * depth) == (depth <= 100)
