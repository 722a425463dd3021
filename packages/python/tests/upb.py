"""protobuf's own implementation, with which the codec is compared: its classes, messages at random, what they mean."""

import datetime
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.protobuf.internal import api_implementation  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from google.protobuf.unknown_fields import UnknownFieldSet  # type: ignore[import-untyped]
from hypothesis import strategies as st

__all__ = ("DecodeError", "Everything", "has_odd_entries", "has_valueless", "meaning", "messages", "serialized")

assert api_implementation.Type() == "upb"

_DESCRIPTORS = Path(__file__).parents[3] / "generated/descriptors.binpb"


def _class_of(name: str) -> Any:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(_DESCRIPTORS.read_bytes()).file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


Everything = _class_of("anyplug.test.v1.Everything")

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_WRAPPERS = {"Bool", "Int32", "Int64", "UInt32", "UInt64", "Float", "Double", "String", "Bytes"}

_floats = st.floats(allow_nan=True, width=64) | st.sampled_from([0.0, -0.0])
_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "DOUBLE": _floats,
    "FLOAT": st.floats(width=32) | st.sampled_from([0.0, -0.0]),
    **{f"{kind}32": st.integers(-(2**31), 2**31 - 1) | st.integers(-2, 200) for kind in ("INT", "SINT", "SFIXED")},
    **{f"{kind}64": st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 200) for kind in ("INT", "SINT", "SFIXED")},
    **{f"{kind}32": st.integers(0, 2**32 - 1) | st.integers(0, 200) for kind in ("UINT", "FIXED")},
    **{f"{kind}64": st.integers(0, 2**64 - 1) | st.integers(0, 200) for kind in ("UINT", "FIXED")},
    "BOOL": st.booleans(),
    "STRING": st.text(max_size=6) | st.just("x" * 200),
    "BYTES": st.binary(max_size=6) | st.just(b"y" * 20000),
    "ENUM": st.integers(-2, 4) | st.integers(-(2**31), 2**31 - 1),
}


def _type_name(field: Any) -> str:
    names = {number: name for name, number in descriptor_pb2.FieldDescriptorProto.Type.items()}
    return str(names[field.type]).removeprefix("TYPE_")


@st.composite
def messages(draw: st.DrawFn, cls: Any = Everything, depth: int = 3) -> Any:
    """Draws a message of a class of upb's, with what betterproto2's types can hold."""
    message = cls()
    fields = draw(st.lists(st.sampled_from(list(cls.DESCRIPTOR.fields)), max_size=8)) if cls.DESCRIPTOR.fields else []
    for field in fields:
        sub = field.message_type
        if sub is not None and depth == 0:
            continue
        if sub is not None and sub.GetOptions().map_entry:
            key, value = sub.fields_by_name["key"], sub.fields_by_name["value"]
            target = getattr(message, field.name)
            for drawn in draw(st.lists(_SCALARS[_type_name(key)], max_size=3)):
                if value.message_type is None:
                    target[drawn] = draw(_SCALARS[_type_name(value)])
                else:
                    target[drawn].CopyFrom(draw(_sub_message(value.message_type, depth)))
        elif field.is_repeated:
            target = getattr(message, field.name)
            for _ in range(draw(st.integers(0, 3))):
                if sub is None:
                    target.append(draw(_SCALARS[_type_name(field)]))
                else:
                    target.add().CopyFrom(draw(_sub_message(sub, depth)))
        elif sub is not None:
            getattr(message, field.name).CopyFrom(draw(_sub_message(sub, depth)))
        else:
            setattr(message, field.name, draw(_SCALARS[_type_name(field)]))
    return message


def _sub_message(descriptor: Any, depth: int) -> st.SearchStrategy[Any]:
    cls = message_factory.GetMessageClass(descriptor)
    match descriptor.full_name:
        case "google.protobuf.Timestamp":
            return st.builds(
                lambda seconds, micros: cls(seconds=seconds, nanos=micros * 1000),
                st.integers(-62135596800, 253402300799),
                st.integers(0, 999_999),
            )
        case "google.protobuf.Duration":
            micros = st.integers(-(10**17), 10**17) | st.integers(-(2 * 10**6), 2 * 10**6)
            return micros.map(lambda micros: _duration(cls, micros))
    return messages(cls, depth - 1)


def _duration(cls: Any, micros: int) -> Any:
    sign = -1 if micros < 0 else 1
    return cls(seconds=sign * (abs(micros) // 10**6), nanos=sign * (abs(micros) % 10**6) * 1000)


def serialized(message: Any) -> bytes:
    """Returns the bytes of a message of upb's, the entries of maps in order."""
    data: bytes = message.SerializeToString(deterministic=True)
    return data


def meaning(message: Any) -> bytes | None:
    """Returns what betterproto2's types can hold of a message of upb's, as bytes; None when they cannot hold it.

    That is: times in microseconds, no unknown fields where a type of Python's own stands for a message, one NaN.
    """
    same = type(message)()
    same.CopyFrom(message)
    return serialized(same) if _reduce(same) else None


def has_odd_entries(message: Any) -> bool:
    """Returns whether there are entries of maps somewhere with fields that are neither key nor value."""
    fields = message.DESCRIPTOR.fields_by_number
    numbers = {unknown.field_number for unknown in UnknownFieldSet(message) if unknown.wire_type == 2}
    return any(number in fields and _is_map(fields[number]) for number in numbers) or any(
        has_odd_entries(part) for _, part in _parts(message)
    )


def has_valueless(message: Any) -> bool:
    """Returns whether there is a google.protobuf.Value somewhere that has no value."""
    is_value = message.DESCRIPTOR.full_name == "google.protobuf.Value"
    return (is_value and message.WhichOneof("kind") is None) or any(has_valueless(part) for _, part in _parts(message))


def _is_map(field: Any) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _parts(message: Any) -> Iterator[tuple[Any, Any]]:
    for field, value in message.ListFields():
        if _is_map(field):
            if field.message_type.fields_by_name["value"].message_type is not None:
                yield from ((field, part) for part in value.values())
        elif field.message_type is not None:
            yield from ((field, part) for part in (value if field.is_repeated else [value]))


def _reduce(message: Any) -> bool:
    for field, value in message.ListFields():
        if isinstance(value, float) and math.isnan(value):
            setattr(message, field.name, math.nan)
    return all(_as_python(part) if _is_python(part) else _reduce(part) for _, part in _parts(message))


def _is_python(part: Any) -> bool:
    package, _, name = part.DESCRIPTOR.full_name.rpartition(".")
    return package == "google.protobuf" and (
        name in {"Timestamp", "Duration"} or name.removesuffix("Value") in _WRAPPERS
    )


def _as_python(part: Any) -> bool:
    part.DiscardUnknownFields()
    try:
        match part.DESCRIPTOR.name:
            case "Timestamp":
                micros = part.seconds * 10**6 + part.nanos // 1000
                _ = _EPOCH + datetime.timedelta(microseconds=micros)
                part.seconds, part.nanos = micros // 10**6, micros % 10**6 * 1000
            case "Duration":
                nanos = part.seconds * 10**9 + part.nanos
                micros = abs(nanos) // 1000 * (-1 if nanos < 0 else 1)
                _ = datetime.timedelta(microseconds=micros)
                part.CopyFrom(_duration(type(part), micros))
            case _:
                if isinstance(part.value, float) and math.isnan(part.value):
                    part.value = math.nan
    except OverflowError:
        return False
    return True
