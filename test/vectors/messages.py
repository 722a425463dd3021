"""Frames, statuses and call headers."""

from __future__ import annotations

import struct
from typing import Any

from wire import CODES, END, HEADER, KINDS, Json, call_header, data, frame, number, status


def frame_vectors() -> list[Json]:
    def good(name: str, *frames: tuple[str, int, bytes, int, int], rest: bytes = b"", **extra: Any) -> Json:
        raw, listed = b"", []
        for kind, call, payload, flags, method in frames:
            listed.append({"offset": len(raw), "kind": KINDS.index(kind), "flags": flags, "method": method, "call": call, "payload": payload.hex()})
            raw += struct.pack("<IBBHI", len(payload), KINDS.index(kind), flags, method, call) + payload
        return {"name": name, "max_frame_bytes": 1024, "bytes": (raw + rest).hex(), "frames": listed, "rest": len(rest), **extra}

    unknown_kind = struct.pack("<IBBHI", 2, 200, 0, 0, 9) + b"hi"
    unknown_flags = struct.pack("<IBBHI", 1, 3, 0xF1, 0, 7) + b"x"
    over = struct.pack("<IBBHI", 1025, 3, 0, 0, 7)
    ping = ("PING", 0, b"", 0, 0)
    return [
        good("nothing"),
        good("an empty payload", ping),
        good("a unary request and its answer", ("REQUEST", 1, b"hello", END, 3), ("MESSAGE", 1, b"world", END, 0)),
        good("the largest call id and method index", ("REQUEST", 0xFFFFFFFF, b"", END, 0xFFFF)),
        good("a payload of exactly the limit", ("MESSAGE", 2, b"a" * 1024, 0, 0)),
        good("both flags", ("MESSAGE", 4, b"\0\0\0\0x", END | HEADER, 0)),
        good("an incomplete header is kept", ping, rest=b"\x01\0\0"),
        good("an incomplete payload is kept", ping, rest=struct.pack("<IBBHI", 4, 3, 0, 0, 1) + b"abc"),
        {"name": "an unknown kind is a frame like any other", "max_frame_bytes": 1024, "bytes": unknown_kind.hex(), "rest": 0,
         "frames": [{"offset": 0, "kind": 200, "flags": 0, "method": 0, "call": 9, "payload": b"hi".hex()}]},
        {"name": "unknown flags are ignored", "max_frame_bytes": 1024, "bytes": unknown_flags.hex(), "rest": 0, "canonical": False,
         "frames": [{"offset": 0, "kind": 3, "flags": END, "method": 0, "call": 7, "payload": b"x".hex()}]},
        {"name": "a length over the limit fails before its payload comes", "max_frame_bytes": 1024, "bytes": (frame("PING") + over).hex(),
         "frames": [{"offset": 0, "kind": 7, "flags": 0, "method": 0, "call": 0, "payload": ""}], "error": {"code": "RESOURCE_EXHAUSTED", "offset": 12}},
        {"name": "a length of 4 GiB claims no memory", "max_frame_bytes": 1024, "bytes": (b"\xff" * 4 + frame("PING")[4:]).hex(), "frames": [],
         "error": {"code": "RESOURCE_EXHAUSTED", "offset": 0}},
    ]


def status_vectors() -> list[Json]:
    out: list[Json] = []

    def add(name: str, raw: bytes, code: str, message: str = "", details: Any = (), metadata: Any = (), canonical: bool = True) -> None:
        out.append({"name": name, "bytes": raw.hex(), "canonical": canonical, "code": code, "message": message,
                    "details": [{"type_url": u, "value": v.hex()} for u, v in details], "metadata": [list(m) for m in metadata]})

    add("empty is success", b"", "OK")
    for code in CODES[1:]:
        add(code, status(code, f"it was {code}"), code, f"it was {code}")
    details = [("type.googleapis.com/a.B", b"\x08\x01"), ("type.googleapis.com/c.D", b"")]
    add("typed details in order", status("ABORTED", "x", details), "ABORTED", "x", details)
    meta = [["k", "1"], ["k", "2"], ["a-b.c_d", "größer 漢 😀"]]
    add("metadata in order, keys more than once", status("OK", "", None, meta), "OK", "", (), meta)
    add("a code of a later version is UNKNOWN and keeps its message", number(1, 99) + data(2, "new"), "UNKNOWN", "new", canonical=False)
    add("a negative code is UNKNOWN", number(1, -3) + data(2, "neg"), "UNKNOWN", "neg", canonical=False)
    add("unknown fields are skipped", status("NOT_FOUND", "y") + data(77, b"zzz") + number(78, 5), "NOT_FOUND", "y", canonical=False)
    add("the last of a repeated field wins", number(1, 3) + number(1, 5) + data(2, "a") + data(2, "b"), "NOT_FOUND", "b", canonical=False)
    for name, raw in {"a truncated length": b"\x12\x05ab", "a truncated varint": b"\x08\x80", "text that is not UTF-8": b"\x12\x02\xc3\x28", "field number 0": b"\x00\x01"}.items():
        out.append({"name": name, "bytes": raw.hex(), "error": True})
    return out


def header_vectors() -> list[Json]:
    out: list[Json] = []

    def add(name: str, raw: bytes, canonical: bool = True, **fields: Any) -> None:
        base: Json = {"timeout_ms": None, "metadata": [], "traceparent": "", "tracestate": "", "origin": []}
        out.append({"name": name, "bytes": raw.hex(), "canonical": canonical, "header": {**base, **fields}})

    add("empty", b"")
    add("no time left is not the same as no deadline", call_header(0), timeout_ms=0)
    add("the longest timeout", call_header(0xFFFFFFFF), timeout_ms=0xFFFFFFFF)
    everything: Json = {"timeout_ms": 1500, "metadata": [["user", "ada"], ["user", "grace"]], "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                        "tracestate": "a=1", "origin": ["host", "first"]}
    add("everything", call_header(**everything), **everything)
    add("unknown fields are skipped", call_header(7) + data(99, "later"), False, timeout_ms=7)
    out.append({"name": "truncated", "bytes": "2a05", "error": True})
    return out
