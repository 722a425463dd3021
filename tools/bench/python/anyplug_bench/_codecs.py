"""Encoding and decoding of the message of 1.2 kB."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyplug_generated.anyplug.bench.v1 as generated
import msgspec
import orjson
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]

from . import _betterproto2_messages as theirs
from ._clock import Answer, operation, serve_sync

__all__ = ("serve",)

_ROOT = Path(__file__).resolve().parents[4]
_SCHEMA = "anyplug/bench/v1/bench.proto"


class PlainLine(msgspec.Struct):  # type: ignore[misc]  # the linter has no msgspec
    """A line of an order, for msgspec."""

    sku: str
    name: str
    quantity: int
    price_cents: int
    taxed: bool
    weight: float


class PlainOrder(msgspec.Struct):  # type: ignore[misc]
    """The message of 1.2 kB, for msgspec."""

    id: str
    customer: str
    created_ms: int
    lines: list[PlainLine]
    attributes: dict[str, str]
    notes: list[str]
    quantities: list[int]
    status: int
    reference: str | None


def serve(name: str, how: str, loop: str) -> None:
    """Serves rounds of one codec: "encode" or "decode"."""
    runs = {what: _measured(run) for what, run in _operations().items()}
    serve_sync({what.removeprefix(f"{how}/"): run for what, run in runs.items() if what.startswith(f"{how}/")})


def _measured(run: Callable[[], object]) -> Callable[[float], Answer]:
    return lambda ms: operation(ms, run)


def _operations() -> dict[str, Callable[[], object]]:
    plain = json.loads((_ROOT / "tools/bench/order.json").read_text())
    lines = plain["lines"]
    message = generated.Order(**{**plain, "lines": [generated.Line(**line) for line in lines]})
    data = bytes(message)

    their_message = theirs.Order(**{**plain, "lines": [theirs.Line(**line) for line in lines]})

    upb = _upb_class()
    upb_message = upb.FromString(data)

    json_bytes = orjson.dumps(plain)
    struct = msgspec.json.decode(json_bytes, type=PlainOrder)
    json_encoder, json_decoder = msgspec.json.Encoder(), msgspec.json.Decoder(PlainOrder)
    pack_encoder, pack_decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(PlainOrder)
    packed = pack_encoder.encode(struct)
    text = json.dumps(plain)

    for other, encoded in (("betterproto2", bytes(their_message)), ("upb", upb_message.SerializeToString())):
        if generated.Order.parse(encoded) != message:
            raise RuntimeError(f"{other} means something else")

    copied = bytearray(data)
    return {
        "anyplug/encode": lambda: bytes(message),
        "anyplug/decode": lambda: generated.Order.parse(data),
        "anyplug-read/decode": lambda: _read(generated.Order.parse(data)),
        "anyplug-made/encode": lambda: bytes(
            generated.Order(**{**plain, "lines": [generated.Line(**line) for line in lines]})
        ),
        "orjson/encode": lambda: orjson.dumps(plain),
        "orjson/decode": lambda: orjson.loads(json_bytes),
        "msgspec-json/encode": lambda: json_encoder.encode(struct),
        "msgspec-json/decode": lambda: json_decoder.decode(json_bytes),
        "msgspec-msgpack/encode": lambda: pack_encoder.encode(struct),
        "msgspec-msgpack/decode": lambda: pack_decoder.decode(packed),
        "upb/encode": upb_message.SerializeToString,
        "upb-made/encode": lambda: upb(**plain).SerializeToString(),
        "upb-read/decode": lambda: _read(upb.FromString(data)),
        "betterproto2/encode": lambda: bytes(their_message),
        "betterproto2/decode": lambda: theirs.Order.parse(data),
        "json/encode": lambda: json.dumps(plain),
        "json/decode": lambda: json.loads(text),
        "copy/encode": lambda: bytes(copied),
        "copy/decode": lambda: bytes(copied),
    }


def _read(message: Any) -> None:
    """Reads every field, as a program would that has to do with it: upb makes Python's objects only then."""
    _ = (message.id, message.customer, message.created_ms, message.status, message.reference)
    for line in message.lines:
        _ = (line.sku, line.name, line.quantity, line.price_cents, line.taxed, line.weight)
    _ = (dict(message.attributes), list(message.notes), list(message.quantities))


def _upb_class() -> Any:
    files = descriptor_pb2.FileDescriptorSet.FromString((_ROOT / "generated/descriptors.binpb").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(next(file for file in files.file if file.name == _SCHEMA))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("anyplug.bench.v1.Order"))
