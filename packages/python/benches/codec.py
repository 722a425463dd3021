"""Encoding and decoding of one message of 1.2 kB, beside JSON, betterproto2 alone and protobuf's own implementation.

    .venv/bin/python packages/python/benches/codec.py

Prints microseconds, the best and the median of some rounds; the contenders take turns, so that a busy machine is busy
for all of them. "fresh" is a message that was made in the program and never encoded before, its making not counted.
"""

# ruff: noqa: D101, RUF009, ANN401 - the classes are what betterproto2 generates, and upb's have no types

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import betterproto2
import orjson
from anyplug._messages import MessagePool
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]

ROUNDS = 150
CALLS = 250

TABLE = """\
package
message Line
1 sku singular string
2 name singular string
3 quantity singular uint32
4 price_cents singular int64
5 taxed singular bool
6 weight singular double
message Order
1 id singular string
2 customer singular string
3 created_ms singular int64
4 lines repeated message:Line
5 attributes map string string
6 notes repeated string
7 quantities packed int32
8 status singular int32
9 reference optional string
"""


@dataclass(eq=False, repr=False)
class Line(betterproto2.Message):
    sku: "str" = betterproto2.field(1, betterproto2.TYPE_STRING)
    name: "str" = betterproto2.field(2, betterproto2.TYPE_STRING)
    quantity: "int" = betterproto2.field(3, betterproto2.TYPE_UINT32)
    price_cents: "int" = betterproto2.field(4, betterproto2.TYPE_INT64)
    taxed: "bool" = betterproto2.field(5, betterproto2.TYPE_BOOL)
    weight: "float" = betterproto2.field(6, betterproto2.TYPE_DOUBLE)


@dataclass(eq=False, repr=False)
class Order(betterproto2.Message):
    id: "str" = betterproto2.field(1, betterproto2.TYPE_STRING)
    customer: "str" = betterproto2.field(2, betterproto2.TYPE_STRING)
    created_ms: "int" = betterproto2.field(3, betterproto2.TYPE_INT64)
    lines: "list[Line]" = betterproto2.field(4, betterproto2.TYPE_MESSAGE, repeated=True)
    attributes: "dict[str, str]" = betterproto2.field(
        5, betterproto2.TYPE_MAP, map_meta=betterproto2.map_meta(betterproto2.TYPE_STRING, betterproto2.TYPE_STRING)
    )
    notes: "list[str]" = betterproto2.field(6, betterproto2.TYPE_STRING, repeated=True)
    quantities: "list[int]" = betterproto2.field(7, betterproto2.TYPE_INT32, repeated=True)
    status: "int" = betterproto2.field(8, betterproto2.TYPE_INT32)
    reference: "str | None" = betterproto2.field(9, betterproto2.TYPE_STRING, optional=True)


def values() -> dict[str, Any]:
    """Returns what the message holds."""
    lines = [
        {
            "sku": f"SKU-{1000 + index}",
            "name": f"a thing that somebody ordered, number {index}, in a box with a ribbon",
            "quantity": index + 1,
            "price_cents": 199 * (index + 1),
            "taxed": index % 2 == 0,
            "weight": 0.25 * index,
        }
        for index in range(8)
    ]
    return {
        "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "customer": "Ada Lovelace, 12 St James's Square, London",
        "created_ms": 1763724000123,
        "lines": lines,
        "attributes": {"region": "eu-west-1", "tier": "gold", "team": "core", "source": "web"},
        "notes": ["leave it at the door, please, and ring twice", "the bell is broken, so knock", "thank you " * 12],
        "quantities": list(range(16)),
        "status": 3,
        "reference": "A-4711",
    }


def order() -> Order:
    """Returns the message, newly made."""
    parts = values()
    return Order(**{**parts, "lines": [Line(**line) for line in parts["lines"]]})


def upb_class() -> Any:
    """Returns protobuf's class of the same message."""
    scalars = {name: getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{name.upper()}") for name in _SCALARS}
    file = descriptor_pb2.FileDescriptorProto(name="bench.proto", syntax="proto3")
    message = file.message_type.add(name="Line")
    for line in TABLE.splitlines()[1:]:
        words = line.split()
        if words[0] == "message":
            if words[1] != "Line":
                message = file.message_type.add(name=words[1])
            continue
        field = message.field.add(name=words[1], number=int(words[0]))
        field.label = field.LABEL_REPEATED if words[2] in {"repeated", "packed", "map"} else field.LABEL_OPTIONAL
        if words[2] == "map":
            entry = message.nested_type.add(name="AttributesEntry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, label=1, type=field.TYPE_STRING)
            entry.field.add(name="value", number=2, label=1, type=field.TYPE_STRING)
            field.type, field.type_name = field.TYPE_MESSAGE, ".Order.AttributesEntry"
        elif words[3] == "message:Line":
            field.type, field.type_name = field.TYPE_MESSAGE, ".Line"
        else:
            field.type = scalars[words[3]]
        if words[2] == "optional":
            message.oneof_decl.add(name=f"_{words[1]}")
            field.proto3_optional, field.oneof_index = True, 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Order"))


_SCALARS = ("string", "uint32", "int64", "bool", "double", "int32")


def read_all(message: Any) -> None:
    """Reads every field, as a program would that has to do with it."""
    _ = (message.id, message.customer, message.created_ms, message.status, message.reference)
    for line in message.lines:
        _ = (line.sku, line.name, line.quantity, line.price_cents, line.taxed, line.weight)
    _ = (dict(message.attributes), list(message.notes), list(message.quantities))


def rounds(contenders: dict[str, Callable[[], Callable[[], object]]]) -> None:
    """Lets the contenders take turns, and prints what each took a call."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, prepare in contenders.items():
            call = prepare()
            begin = time.perf_counter()
            for _ in range(CALLS):
                call()
            taken[name].append((time.perf_counter() - begin) / CALLS * 1e6)
    for name, times in taken.items():
        print(f"  {name:42} {min(times):8.2f} {statistics.median(times):8.2f}")


def main() -> None:
    """Prints the tables."""
    table = ModuleType(f"{__name__}._anyplug_table")
    table.__dict__["TABLE"] = TABLE
    sys.modules[table.__name__] = table
    pool = MessagePool()
    pool.register_message("", "Line", Line)
    pool.register_message("", "Order", Order)

    message, upb = order(), upb_class()
    data = bytes(message)
    peer = upb.FromString(data)
    if Order.parse(peer.SerializeToString()) != message:
        raise AssertionError("the two do not mean the same")
    plain = values()
    text = orjson.dumps(plain)
    print(f"{len(data)} bytes, {len(text)} as JSON; microseconds: best, median\nencode")

    def fresh() -> Callable[[], object]:
        messages = iter([order() for _ in range(CALLS)])
        return lambda: bytes(next(messages))

    rounds(
        {
            "anyplug": lambda: lambda: bytes(message),
            "anyplug, fresh": fresh,
            "orjson": lambda: lambda: orjson.dumps(plain),
            "protobuf (upb)": lambda: peer.SerializeToString,
            "protobuf (upb), message made of values": lambda: lambda: upb(**plain).SerializeToString(),
            "anyplug, message made of values": lambda: lambda: bytes(order()),
            "json": lambda: lambda: json.dumps(plain),
        }
    )
    print("decode")
    rounds(
        {
            "anyplug": lambda: lambda: Order.parse(data),
            "anyplug, all fields read": lambda: lambda: read_all(Order.parse(data)),
            "orjson": lambda: lambda: orjson.loads(text),
            "protobuf (upb)": lambda: lambda: upb.FromString(data),
            "protobuf (upb), all fields read": lambda: lambda: read_all(upb.FromString(data)),
            "json": lambda: lambda: json.loads(text),
        }
    )


if __name__ == "__main__":
    main()
