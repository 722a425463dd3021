"""What the codec promises, one by one."""

import datetime
import re
import struct
from itertools import accumulate
from typing import Any

import pytest
from anyplug import encode
from anyplug._code import Code
from anyplug._error import AnyplugError
from anyplug_generated.anyplug.test.v1 import (
    Color,
    EchoRequest,
    Everything,
    EverythingNested,
    EverythingNestedKind,
    FailRequest,
)
from anyplug_generated.google.protobuf import Any as AnyMessage
from anyplug_generated.google.protobuf import Duration, Int64Value, ListValue, NullValue, Struct, Timestamp, Value

UTC = datetime.UTC


def refusal(call: Any, *args: Any) -> str:
    """Returns what the codec says when it refuses."""
    with pytest.raises(AnyplugError) as raised:
        call(*args)
    assert raised.value.code is Code.INVALID_ARGUMENT
    return raised.value.message


def made(**fields: Any) -> Everything:
    """Returns a message of values that mypy need not like."""
    return Everything(**fields)


def field(number: int, data: bytes) -> bytes:
    """Returns a length-delimited field of less than 128 bytes."""
    tag = number << 3 | 2
    return (bytes([tag]) if tag < 0x80 else bytes([tag & 0x7F | 0x80, tag >> 7])) + bytes([len(data)]) + data


def test_fields_are_written_by_number_and_unknown_ones_after_them() -> None:
    message = Everything.parse(b"\xa0\x06\x05" + field(14, b"b") + b"\x18\x07")
    assert bytes(message) == b"\x18\x07" + field(14, b"b") + b"\xa0\x06\x05"


def test_defaults_are_left_out_and_present_ones_are_kept() -> None:
    assert bytes(Everything()) == b""
    assert bytes(Everything(int32_value=0, string_value="", bytes_value=b"", bool_value=False, double_value=0.0)) == b""
    message = Everything(maybe_int32=0, maybe_string="", choice_number=0, wrapped_int64=0, nested=EverythingNested())
    data = b"\x90\x01\x00\x9a\x01\x00\xf0\x01\x00\xb2\x02\x00\xc2\x02\x00"
    assert bytes(message) == data
    assert Everything.parse(data) == message


@pytest.mark.parametrize(("attribute", "number", "layout"), [("double_value", 9, "<d"), ("float_value", 21, "<f")])
def test_minus_zero_is_not_zero(attribute: str, number: int, layout: str) -> None:
    data = bytes([number]) + struct.pack(layout, -0.0)
    message = made(**{attribute: -0.0})
    assert bytes(message) == data
    assert str(getattr(Everything.parse(data), attribute)) == "-0.0"


def test_packed_and_unpacked_lists_are_read_in_either_form_and_written_in_their_own() -> None:
    apart, together = b"\xa0\x01\x05\xa0\x01\x06", field(20, b"\x05\x06")
    assert Everything.parse(apart + together).packed_values == [5, 6, 5, 6]
    assert bytes(Everything.parse(apart)) == together
    apart, together = b"\xa8\x01\x05\xa8\x01\x06", field(21, b"\x05\x06")
    assert Everything.parse(together + apart).unpacked_values == [5, 6, 5, 6]
    assert bytes(Everything.parse(together)) == apart
    assert Everything.parse(b"\xc0\x01\x01" + field(24, b"\x02\x09")).colors == [Color.RED, Color.GREEN, Color(9)]


def test_the_last_member_of_a_oneof_wins_on_the_wire() -> None:
    text, number, child = field(29, b"t"), b"\xf0\x01\x07", field(31, b"\x18\x01")
    assert Everything.parse(text + number) == Everything(choice_number=7)
    assert Everything.parse(number + text) == Everything(choice_text="t")
    assert Everything.parse(child + number + text + child) == Everything(choice_child=Everything(int32_value=1))
    # The same member again is merged; with another between, it begins anew.
    more = field(31, b"\x20\x02")
    assert Everything.parse(child + more) == Everything(choice_child=Everything(int32_value=1, int64_value=2))
    assert Everything.parse(child + number + more) == Everything(choice_child=Everything(int64_value=2))


def test_two_members_of_a_oneof_are_refused() -> None:
    text = refusal(bytes, Everything(choice_text="", choice_bytes=b""))
    assert text == "Everything: oneof choice has both choice_text and choice_bytes; set one of them to None"


def test_entries_of_maps_are_kept_with_default_keys_and_values() -> None:
    message = Everything(
        labels={"": ""}, by_id={0: Everything()}, by_flag={False: b""}, color_by_id={0: Color.UNSPECIFIED}
    )
    assert bytes(message) == (
        field(25, b"\x0a\x00\x12\x00")
        + field(26, b"\x08\x00\x12\x00")
        + field(27, b"\x08\x00\x12\x00")
        + field(28, b"\x08\x00\x10\x00")
    )
    assert Everything.parse(bytes(message)) == message
    assert Everything.parse(b"".join(field(number, b"") for number in (25, 26, 27, 28))) == message


def test_entries_of_maps_may_come_twice_and_in_any_order() -> None:
    first, second = field(25, b"\x12\x01x\x0a\x01k"), field(25, b"\x0a\x01k\x12\x01y")
    assert Everything.parse(first).labels == {"k": "x"}
    assert Everything.parse(first + second).labels == {"k": "y"}
    # A value that comes twice in one entry is merged; in two entries the last one is taken.
    assert Everything.parse(field(26, b"\x08\x07\x12\x02\x18\x01\x12\x02\x20\x02")).by_id == {
        7: Everything(int32_value=1, int64_value=2)
    }
    assert Everything.parse(field(26, b"\x08\x07\x12\x02\x18\x01") + field(26, b"\x08\x07\x12\x02\x20\x02")).by_id == {
        7: Everything(int64_value=2)
    }


def test_maps_are_in_order_of_keys_when_asked() -> None:
    message = Everything(
        labels={"ü": "", "b": "", "": "", "ab": ""},
        by_id={5: Everything(), -1: Everything(by_flag={True: b"", False: b""}), 0: Everything()},
    )
    again = Everything.parse(encode(message, deterministic=True))
    assert again == message
    assert list(again.labels) == ["", "ab", "b", "ü"]
    assert list(again.by_id) == [-1, 0, 5]
    assert list(again.by_id[-1].by_flag) == [False, True]
    assert list(Everything.parse(bytes(message)).labels) == ["ü", "b", "", "ab"]


def test_numbers_that_an_enum_does_not_name_stay_numbers() -> None:
    data = (
        b"\x80\x01\x4d"
        + field(24, b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x09")
        + field(28, b"\x08\x01\x10\x63")
    )
    message = Everything.parse(data)
    assert message.color == 77
    assert isinstance(message.color, Color)
    assert message.colors == [Color.RED, Color.NEGATIVE, 9]
    assert message.color_by_id == {1: 99}
    assert bytes(message) == data
    # A plain number will do in its place.
    assert bytes(made(color=2)) == bytes(Everything(color=Color.GREEN))


def test_unknown_fields_are_kept_wherever_a_message_is() -> None:
    strange = (
        b"\xf8\x07\x05"
        + b"\xfa\x07\x02hi"
        + b"\xfb\x07\x08\x01\xfc\x07"
        + b"\xf9\x07"
        + bytes(8)
        + b"\xfd\x07"
        + bytes(4)
    )
    for outer in (17, 23, 31):
        data = field(outer, b"\x18\x01" + strange) + strange
        assert bytes(Everything.parse(data)) == data
    entry = field(26, b"\x08\x07" + field(2, b"\x18\x01" + strange))
    assert Everything.parse(entry).by_id[7].int32_value == 1
    assert bytes(Everything.parse(entry)) == entry
    # An entry with a field of its own too many is kept as a whole.
    odd = field(25, b"\x0a\x01k\x12\x01v" + strange)
    assert Everything.parse(odd).labels == {}
    assert bytes(Everything.parse(odd)) == odd


def test_a_known_number_with_another_wire_type_is_an_unknown_field() -> None:
    for data in (
        field(3, b"x"),
        b"\x70\x01",
        b"\x1d\x00\x00\x00\x00",
        b"\xa5\x01" + bytes(4),
        b"\xc8\x01\x01",
        b"\x88\x01\x01",
    ):
        message = Everything.parse(data)
        assert message == Everything()
        assert bytes(message) == data


def test_sub_messages_that_come_twice_are_merged() -> None:
    first = Everything(int32_value=1, names=["a"], labels={"k": "1"}, child=Everything(string_value="x", int32_value=5))
    second = Everything(int64_value=2, names=["b"], labels={"k": "2", "l": ""}, child=Everything(string_value="y"))
    merged = Everything(
        int32_value=1, int64_value=2, names=["a", "b"], labels={"k": "2", "l": ""},
        child=Everything(string_value="y", int32_value=5),
    )  # fmt: skip
    assert Everything.parse(bytes(first) + bytes(second)) == merged
    twice = bytes(Everything(child=first)) + bytes(Everything(child=second))
    assert Everything.parse(twice) == Everything(child=merged)
    # What stands for a message of protobuf's own is merged, too.
    assert Everything.parse(field(33, b"\x08\x05") + field(33, b"\x10\xe8\x07")).timestamp == datetime.datetime(
        1970, 1, 1, 0, 0, 5, 1, tzinfo=UTC
    )
    assert Everything.parse(field(38, b"\x08\x05") + field(38, b"")).wrapped_int64 == 5


RANGES = {
    **{f"{kind}32_value": (-(2**31), 2**31 - 1) for kind in ("int", "sint", "sfixed")},
    **{f"{kind}64_value": (-(2**63), 2**63 - 1) for kind in ("int", "sint", "sfixed")},
    **{f"{kind}32_value": (0, 2**32 - 1) for kind in ("uint", "fixed")},
    **{f"{kind}64_value": (0, 2**64 - 1) for kind in ("uint", "fixed")},
    "wrapped_int64": (-(2**63), 2**63 - 1),
    "choice_number": (-(2**63), 2**63 - 1),
    "color": (-(2**31), 2**31 - 1),
}


@pytest.mark.parametrize("attribute", RANGES)
def test_integers_are_held_to_their_range(attribute: str) -> None:
    low, high = RANGES[attribute]
    for number in (low, high):
        message = made(**{attribute: number})
        assert getattr(Everything.parse(bytes(message)), attribute) == number
    for number in (low - 1, high + 1, 10**30):
        text = refusal(bytes, made(**{attribute: number}))
        assert text == f"Everything.{attribute}: {number} (int) is out of range, which is {low} to {high}"


@pytest.mark.parametrize(
    ("attribute", "value", "expected"),
    [
        ("int32_value", "1", "'1' (str) is not an integer"),
        ("int32_value", 1.0, "1.0 (float) is not an integer"),
        ("int32_value", None, "None is not an integer"),
        ("uint64_value", "1", "'1' (str) is not an integer"),
        ("double_value", "1", "'1' (str) is not a number"),
        ("bool_value", 2, "2 (int) is out of range, which is 0 to 1"),
        ("string_value", b"x", "b'x' (bytes) is not a str"),
        ("string_value", None, "None is not a str"),
        ("bytes_value", "x", "'x' (str) is not bytes"),
        ("bytes_value", 3, "3 (int) is not bytes"),
        ("names", "abc", "'abc' (str) is not a list"),
        ("names", None, "None is not a list or dict"),
        ("labels", ["a"], "['a'] (list) is not a dict"),
        ("child", {"int32_value": 1}, "{'int32_value': 1} (dict) is not of type Everything"),
        ("child", FailRequest(), "FailRequest() (FailRequest) is not of type Everything"),
        ("timestamp", 5, "5 (int) is not a datetime"),
        ("timestamp", datetime.datetime(2020, 1, 1), "is not a datetime with a time zone"),
        ("duration", 5, "5 (int) is not a timedelta"),
        ("string_value", "\ud800", "cannot be written in UTF-8"),
        ("color", "RED", "'RED' (str) is not an integer"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_the_name_of_its_field(
    attribute: str, value: Any, expected: str
) -> None:
    message = Everything()
    setattr(message, attribute, value)
    text = refusal(bytes, message)
    assert text.startswith(f"Everything.{attribute}: ")
    assert expected in text


def test_refusals_name_the_path() -> None:
    wrong: Any = 5
    inner = Everything(by_id={7: Everything(string_value=wrong)})
    text = refusal(bytes, Everything(children=[Everything(), Everything(), Everything(), inner]))
    assert text == "Everything.children[3].by_id[7].string_value: 5 (int) is not a str"
    assert refusal(bytes, Everything(names=["a", wrong])).startswith("Everything.names[1]: ")
    assert refusal(bytes, Everything(labels={"k": wrong})).startswith("Everything.labels['k']: ")
    assert refusal(bytes, Everything(labels={wrong: "v"})).startswith("Everything.labels[5].key: ")
    data = field(23, b"") + field(23, field(26, b"\x08\x07" + field(2, field(14, b"\xff"))))
    text = refusal(Everything.parse, data)
    assert text == f"Everything.children[1].by_id[7].string_value: text that is not UTF-8 at byte {len(data) - 1}"


def test_what_can_be_taken_for_a_value_is_taken() -> None:
    parse: Any = Everything.parse
    assert bytes(made(bytes_value=bytearray(b"x"))) == bytes(Everything(bytes_value=b"x"))
    assert bytes(made(bytes_value=memoryview(b"xy")[::1])) == bytes(Everything(bytes_value=b"xy"))
    assert bytes(Everything(double_value=1)) == bytes(Everything(double_value=1.0))
    assert bytes(Everything(int32_value=True)) == bytes(Everything(int32_value=1))
    assert bytes(made(names=("a",))) == bytes(Everything(names=["a"]))
    assert parse(bytearray(b"\x18\x01")) == Everything(int32_value=1)
    assert parse(memoryview(b"\x18\x01")) == Everything(int32_value=1)
    assert "is not bytes" in refusal(Everything.parse, "text")


@pytest.mark.parametrize("number", [25, 14, 29, 39])
def test_text_must_be_utf8(number: int) -> None:
    for wrong in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"a\xc3"):
        inner = {25: field(1, wrong), 39: field(1, wrong)}.get(number, wrong)
        assert "not UTF-8" in refusal(Everything.parse, field(number, inner))


def test_no_part_of_a_message_is_a_message_unless_it_ends_between_fields() -> None:
    fields: dict[str, Any] = {
        "double_value": 1.5,
        "float_value": 2.5,
        "int64_value": -1,
        "fixed64_value": 3,
        "string_value": "text",
        "packed_values": [1, 300],
        "children": [Everything(names=["a", "b"])],
        "labels": {"k": "v"},
        "duration": datetime.timedelta(5),
        "wrapped_string": "w",
    }
    data = bytes(Everything(**fields))
    ends = {0, *accumulate(len(bytes(made(**{name: value}))) for name, value in fields.items())}
    for length in range(len(data) + 1):
        if length in ends:
            Everything.parse(data[:length])
        else:
            refusal(Everything.parse, data[:length])
    assert "ends too early: 9 bytes were to come at byte 2, and 1 are there" in refusal(Everything.parse, b"\x72\x09x")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x00", "field number 0 at byte 0"),
        (b"\x02\x01x", "field number 0 at byte 0"),
        (b"\x80\x80\x80\x80\x10\x01", "a tag of more than 32 bits at byte 0"),
        (b"\x98\x80\x80\x80\x80\x00\x01", "a tag of more than 32 bits at byte 0"),
        (b"\x0e", "unknown wire type 6 of field 1"),
        (b"\x0f", "unknown wire type 7 of field 1"),
        (b"\x18" + b"\x80" * 11, "a number of more than 10 bytes at byte 1"),
        (b"\x18\x80", "ends within a number at byte 1"),
        (b"\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "a length of more than 32 bits"),
        (b"\x72\xff\xff\xff\xff\x0f", "ends too early"),
        (b"\xa3\x06\x08\x01", "ends within a group, field 100"),
        (b"\xa3\x06\xac\x06", "the end of a group that did not begin, field 101"),
        (b"\xa4\x06", "the end of a group that did not begin, field 100"),
        (field(20, b"\x80"), "Everything.packed_values[0]: ends within a number"),
    ],
)
def test_malformed_bytes_are_refused_with_what_is_wrong_and_where(data: bytes, expected: str) -> None:
    assert expected in refusal(Everything.parse, data)


def test_groups_are_passed_over_and_kept() -> None:
    group = b"\xa3\x06\x08\x01" + b"\xab\x06\x12\x01x\xac\x06" + b"\xa4\x06"
    message = Everything.parse(b"\x18\x01" + group)
    assert message == Everything(int32_value=1)
    assert bytes(message) == b"\x18\x01" + group


def test_messages_are_nested_a_hundred_deep_and_no_deeper() -> None:
    message = Everything(int32_value=1)
    for _ in range(100):
        message = Everything(child=message)
    assert bytes(Everything.parse(bytes(message))) == bytes(message)
    assert "nested more than 100 deep" in refusal(bytes, Everything(child=message))
    data = bytes(message)
    deeper = b"\x8a\x01" + bytes([len(data) & 0x7F | 0x80, len(data) >> 7]) + data
    assert "nested more than 100 deep" in refusal(Everything.parse, deeper)
    circle = Everything()
    circle.child = circle
    assert "nested more than 100 deep" in refusal(bytes, circle)
    group = b"\xa3\x06" * 101 + b"\xa4\x06" * 101
    assert "nested more than 100 deep" in refusal(Everything.parse, group)


@pytest.mark.parametrize(
    ("value", "seconds", "nanos"),
    [
        (datetime.datetime(1970, 1, 1, tzinfo=UTC), 0, 0),
        (datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), -1, 999_999_000),
        (datetime.datetime(1, 1, 1, tzinfo=UTC), -62135596800, 0),
        (datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), 253402300799, 999_999_000),
        (datetime.datetime(2020, 1, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2))), 1577836800, 0),
    ],
)
def test_timestamps_are_datetimes(value: datetime.datetime, seconds: int, nanos: int) -> None:
    data = bytes(Everything(timestamp=value))
    assert Timestamp.parse(data[3:]) == Timestamp(seconds=seconds, nanos=nanos)
    assert Everything.parse(data).timestamp == value


@pytest.mark.parametrize(
    ("value", "seconds", "nanos"),
    [
        (datetime.timedelta(), 0, 0),
        (datetime.timedelta(microseconds=-1), 0, -1000),
        (datetime.timedelta(seconds=-1, microseconds=-500_000), -1, -500_000_000),
        (datetime.timedelta(days=-1), -86400, 0),
        (datetime.timedelta(days=999_999_999, microseconds=1), 86399999913600, 1000),
    ],
)
def test_durations_are_timedeltas(value: datetime.timedelta, seconds: int, nanos: int) -> None:
    data = bytes(Everything(duration=value))
    assert Duration.parse(data[3:]) == Duration(seconds=seconds, nanos=nanos)
    assert Everything.parse(data).duration == value


def test_nanoseconds_are_cut_to_microseconds_in_fields_only() -> None:
    moment = Timestamp(seconds=5, nanos=1_999)
    assert Everything.parse(field(33, bytes(moment))).timestamp == datetime.datetime(1970, 1, 1, 0, 0, 5, 1, tzinfo=UTC)
    assert Timestamp.parse(bytes(moment)) == moment
    past = Duration(seconds=-5, nanos=-1_999)
    assert Everything.parse(field(34, bytes(past))).duration == -datetime.timedelta(seconds=5, microseconds=1)
    assert Duration.parse(bytes(past)) == past


def test_a_time_that_python_cannot_hold_is_refused() -> None:
    late = field(33, bytes(Timestamp(seconds=253402300800)))
    assert re.search(
        r"^Everything.timestamp: 253402300800 s and 0 ns do not fit in a datetime", refusal(Everything.parse, late)
    )
    long = field(34, bytes(Duration(seconds=2**62)))
    assert "do not fit in a timedelta" in refusal(Everything.parse, long)


def test_structs_and_any_are_messages() -> None:
    struct = Struct(
        fields={
            "null": Value(null_value=NullValue.NULL_VALUE),
            "number": Value(number_value=0.0),
            "list": Value(list_value=ListValue(values=[Value(bool_value=False), Value(string_value="")])),
            "": Value(struct_value=Struct()),
        }
    )
    packed = AnyMessage.pack(Everything(int32_value=4))
    message = Everything(struct=struct, value=Value(number_value=-0.0), any=packed)
    again = Everything.parse(bytes(message))
    assert again == message
    assert again.any is not None
    assert again.any.unpack() == Everything(int32_value=4)
    assert Int64Value.parse(b"\x08\x05") == Int64Value(value=5)


def test_nested_enums_and_messages_are_of_their_classes() -> None:
    message = EchoRequest.parse(
        bytes(EchoRequest(everything=Everything(nested=EverythingNested(kind=EverythingNestedKind.ONE))))
    )
    assert message.everything is not None
    assert message.everything.nested is not None
    assert message.everything.nested.kind is EverythingNestedKind.ONE


def test_an_object_that_changes_its_message_while_it_is_encoded_harms_nothing() -> None:
    class Meddler:
        def __index__(self) -> int:
            message.names.clear()
            message.child = None
            message.packed_values.clear()
            return 3

    meddler: Any = Meddler()
    message = Everything(child=Everything(string_value="x" * 1000), names=["a" * 500, "b"], packed_values=[1, 2, 3])
    message.unpacked_values = [4, meddler, 5]
    message.old_value = meddler
    again = Everything.parse(bytes(message))
    assert (again.old_value, again.unpacked_values, again.names) == (3, [4, 3, 5], [])
    message = Everything(packed_values=[1, 2, meddler])
    assert "changed while it was encoded" in refusal(bytes, message)


def test_a_message_can_be_encoded_while_another_is() -> None:
    class Inner:
        def __index__(self) -> int:
            return len(bytes(Everything(string_value="inner" * 100)))

    inner: Any = Inner()
    message = Everything(string_value="outer", unpacked_values=[1, inner])
    assert Everything.parse(bytes(message)) == Everything(string_value="outer", unpacked_values=[1, 503])
