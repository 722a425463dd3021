"""Protobuf and frames in bytes. Deliberately not the encoder of a core: written from docs/protocol.md alone."""

from __future__ import annotations

import struct
from typing import Any

MAGIC = b"anyplug\n"
KINDS = ["", "HELLO", "REQUEST", "MESSAGE", "END", "CANCEL", "CREDIT", "PING", "PONG", "LOG", "GOAWAY"]
CODES = ["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"]
END, HEADER = 1, 2
Json = dict[str, Any]


def varint(value: int) -> bytes:
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int | None, *, explicit: bool = False) -> bytes:
    if value is None or (value == 0 and not explicit):
        return b""
    return varint(field << 3) + varint(value)


def data(field: int, value: bytes | str, *, explicit: bool = False) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    if not raw and not explicit:
        return b""
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def frame(kind: str, call: int = 0, payload: bytes = b"", *, end: bool = False, header: bytes | None = None, method: int = 0) -> bytes:
    flags = (END if end else 0) | (HEADER if header is not None else 0)
    if header is not None:
        payload = struct.pack("<I", len(header)) + header + payload
    return struct.pack("<IBBHI", len(payload), KINDS.index(kind), flags, method, call) + payload


def pairs(field: int, metadata: list[list[str]]) -> bytes:
    return b"".join(data(field, data(1, k) + data(2, v), explicit=True) for k, v in metadata)


def status(code: str = "OK", message: str = "", details: list[tuple[str, bytes]] | None = None, metadata: list[list[str]] | None = None) -> bytes:
    out = number(1, CODES.index(code)) + data(2, message)
    out += b"".join(data(3, data(1, url) + data(2, value), explicit=True) for url, value in details or [])
    return out + pairs(4, metadata or [])


def call_header(timeout_ms: int | None = None, metadata: list[list[str]] | None = None, traceparent: str = "", tracestate: str = "", origin: list[str] | None = None) -> bytes:
    out = number(1, timeout_ms, explicit=True) + pairs(2, metadata or []) + data(3, traceparent) + data(4, tracestate)
    return out + b"".join(data(5, name, explicit=True) for name in origin or [])


REFLECTION: Json = {"name": "anyplug.reflection.v1.ReflectionService", "fingerprint": "", "methods": ["GetDescriptors"]}
ELIZA: Json = {"name": "demo.v1.ElizaService", "fingerprint": "00112233445566778899aabbccddeeff", "methods": ["Reply", "Chat"]}
HOST: Json = {"name": "demo.v1.HostService", "fingerprint": "ffeeddccbbaa99887766554433221100", "methods": ["Ask"]}


def service(entry: Json) -> bytes:
    return data(1, entry["name"]) + data(2, entry["fingerprint"]) + b"".join(data(3, m, explicit=True) for m in entry["methods"])


def hello(name: str, services: list[Json], uses: list[Json] | None = None, *, protocol: int = 1, min_protocol: int = 1,
          limits: tuple[int, int, int] = (4194304, 1000, 65536), plugin: str = "", config: str = "") -> bytes:
    out = number(1, protocol) + number(2, min_protocol) + data(3, name) + data(4, "1.2.3") + data(5, "vector")
    out += data(6, number(1, limits[0]) + number(2, limits[1]) + number(3, limits[2]), explicit=True)
    out += b"".join(data(7, service(s), explicit=True) for s in services)
    out += b"".join(data(8, data(1, u["name"]) + data(2, u["fingerprint"]), explicit=True) for u in uses or [])
    return out + data(9, plugin) + data(10, config)


def go_away(reason: bytes | None = None) -> bytes:
    return frame("GOAWAY", 0, b"" if reason is None else data(1, reason, explicit=True))


def credit(call: int, amount: int) -> bytes:
    return frame("CREDIT", call, number(1, amount))
