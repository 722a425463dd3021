"""Writes the vectors of this folder: `python build.py`, or `python build.py --check`.

The encoder below is deliberately not the one of a core: it is written from docs/protocol.md alone.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MAGIC = b"anyplug\n"
KINDS = ["", "HELLO", "REQUEST", "MESSAGE", "END", "CANCEL", "CREDIT", "PING", "PONG", "LOG", "GOAWAY"]
CODES = ["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"]
END, HEADER = 1, 2
Json = dict[str, Any]


# --- protobuf and frames -------------------------------------------------------------------------


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


# --- frames, statuses, headers --------------------------------------------------------------------


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


# --- sessions -------------------------------------------------------------------------------------


class Script:
    """A session script; bytes that both sides exchange are written with the functions above."""

    def __init__(self, name: str, role: str = "host", *, limits: Json | None = None, services: list[Json] | None = None, uses: list[Json] | None = None, note: str = "") -> None:
        default = [REFLECTION, HOST] if role == "host" else [REFLECTION, ELIZA]
        self.role, self.services, self.uses = role, services if services is not None else default, uses or []
        self.json: Json = {"name": name, "note": note, "session": {"role": role, "name": f"vector-{role}", "version": "1.2.3", "runtime": "vector",
                           "limits": limits or {}, "services": self.services, "uses": self.uses}, "steps": []}

    def step(self, **step: Any) -> Script:
        self.json["steps"].append(step)
        return self

    def receive(self, *raw: bytes, note: str = "") -> Script:
        return self.step(receive=b"".join(raw).hex(), **({"note": note} if note else {}))

    def output(self, *raw: bytes, note: str = "") -> Script:
        return self.step(output=b"".join(raw).hex(), **({"note": note} if note else {}))

    def do(self, op: str, returns: Any = None, **args: Any) -> Script:
        return self.step(do=op, **args, **({} if returns is None else {"returns": returns}))

    def refused(self, op: str, code: str, *contains: str, **args: Any) -> Script:
        return self.step(do=op, **args, fails={"code": code, "contains": list(contains)})

    def event(self, type: str, **members: Any) -> Script:
        return self.step(event={"type": type, **members})

    def opened(self, *, peer_limits: tuple[int, int, int] = (4194304, 1000, 65536), own_limits: tuple[int, int, int] = (4194304, 1000, 65536), peer_uses: list[Json] | None = None) -> Script:
        """The exchange of hellos that most scripts begin with."""
        mine = MAGIC + frame("HELLO", 0, hello(f"vector-{self.role}", self.services, self.uses, limits=own_limits))
        peer_name = "vector-plugin" if self.role == "host" else "vector-host"
        peer_services = [REFLECTION, ELIZA] if self.role == "host" else [REFLECTION, HOST]
        theirs = MAGIC + frame("HELLO", 0, hello(peer_name, peer_services, peer_uses, limits=peer_limits))
        if self.role == "host":
            self.output(mine, note="the host speaks first").receive(theirs)
        else:
            self.output(b"", note="the plugin waits for the host").receive(theirs)
        self.event("hello", peer={"name": peer_name, "version": "1.2.3", "runtime": "vector", "protocol": 1, "services": peer_services, "uses": peer_uses or []})
        return self if self.role == "host" else self.output(mine)


OK: Json = {"code": "OK", "message": ""}


def failed(code: str, *contains: str) -> Json:
    return {"code": code, "contains": list(contains)}


def request(script: Script, call: int, method: str = "Reply", payload: bytes | None = b"\x0a\x02hi", end: bool = True, **extra: Any) -> Script:
    args: Json = {"service": "demo.v1.ElizaService", "method": method, "end": end, **extra}
    if payload is not None:
        args["payload"] = payload.hex()
    return script.do("request", {"call": call}, **args)


def session_vectors() -> dict[str, list[Json]]:
    return {"hello": hello_scripts(), "unary": unary_scripts(), "streams": stream_scripts(), "cancellation": cancellation_scripts(), "credit": credit_scripts(),
            "limits": limit_scripts(), "connection": connection_scripts(), "malformed": malformed_scripts()}


def hello_scripts() -> list[Json]:
    out = [Script("host and plugin greet").opened(), Script("a plugin answers the host's hello", "plugin").opened()]
    adopted = (16777216, 10, 4096)
    out.append(Script("a plugin without limits of its own announces the host's", "plugin").opened(peer_limits=adopted, own_limits=adopted))
    out.append(Script("a plugin with limits of its own announces them", "plugin", limits={"max_message_bytes": 1000}).opened(peer_limits=adopted, own_limits=(1000, 10, 4096)))
    out.append(Script("uses are told to the peer", uses=[{"name": ELIZA["name"], "fingerprint": ELIZA["fingerprint"]}]).opened(peer_uses=[{"name": HOST["name"], "fingerprint": "00"}]))
    mine = MAGIC + frame("HELLO", 0, hello("vector-host", [REFLECTION, HOST]))
    peer = [REFLECTION, ELIZA]
    out.append(Script("a newer peer that still speaks version 1").output(mine).receive(MAGIC, frame("HELLO", 0, hello("p", peer, protocol=7, min_protocol=1)))
               .event("hello", peer={"name": "p", "protocol": 1}))
    refused = Script("a peer that is too new is refused by version").output(mine).receive(MAGIC, frame("HELLO", 0, hello("p", peer, protocol=9, min_protocol=8)))
    refused.event("closed", status=failed("FAILED_PRECONDITION", "8", "1", "protocol"))
    out.append(refused.step(output_frame={"kind": 10, "call": 0, "status": failed("FAILED_PRECONDITION", "protocol")}))
    out.append(Script("unknown members of hello are ignored").output(mine).receive(MAGIC, frame("HELLO", 0, hello("p", peer) + data(500, "later")))
               .event("hello", peer={"name": "p", "services": peer}))
    wanted: Json = {"plugin": "eliza-classic", "config": '{"name":"größer"}'}
    s = Script("a host says which plugin it wants, and how it is configured")
    s.json["session"].update(wanted)
    out.append(s.output(MAGIC, frame("HELLO", 0, hello("vector-host", [REFLECTION, HOST], **wanted)), note="a set of plugins at one address"))
    s = Script("a plugin hears which plugin is wanted, and its configuration", "plugin").receive(MAGIC, frame("HELLO", 0, hello("vector-host", [REFLECTION, HOST], **wanted)))
    out.append(s.event("hello", peer={"name": "vector-host", **wanted}).output(MAGIC, frame("HELLO", 0, hello("vector-plugin", peer))))
    out.append(Script("limits of 0 stand for the defaults", "plugin").opened(peer_limits=(0, 0, 0)))
    for name, raw, words in [("wrong magic is refused with what came", b"Hello, world", ["magic", "Hello"]), ("magic of which a byte differs", b"anyplug\r" + frame("PING"), ["magic"])]:
        wrong = Script(name).output(mine).receive(raw).event("closed", status=failed("FAILED_PRECONDITION", *words))
        out.append(wrong.step(output_frame={"kind": 10, "call": 0, "status": failed("FAILED_PRECONDITION", *words)}))
    out.append(Script("the end of the stream before hello").output(mine).receive(MAGIC[:3]).do("closed", reason={"code": "UNAVAILABLE", "message": "the pipe closed"})
               .event("closed", status=failed("UNAVAILABLE", "the pipe closed")))
    early = Script("a call before hello waits for nobody: it is refused").output(mine)
    out.append(early.refused("request", "FAILED_PRECONDITION", "hello", service="demo.v1.ElizaService", method="Reply", payload="", end=True))
    return [s.json for s in out]


def unary_scripts() -> list[Json]:
    hi = b"\x0a\x02hi"
    out = []
    s = request(Script("a host calls a plugin").opened(), 1).output(frame("REQUEST", 1, hi, end=True, method=1))
    out.append(s.receive(frame("MESSAGE", 1, b"yes", end=True)).event("message", call=1, payload=b"yes".hex(), end=True, header=None))
    s = Script("a plugin is called and answers", "plugin").opened().receive(frame("REQUEST", 1, hi, end=True, method=1))
    s.event("request", call=1, service=ELIZA["name"], method="Reply", header=None, payload=hi.hex(), end=True)
    out.append(s.do("send_message", call=1, payload=b"yes".hex(), end=True).output(frame("MESSAGE", 1, b"yes", end=True)))
    s = Script("a plugin calls its host, with even ids", "plugin").opened()
    s.do("request", {"call": 2}, service=HOST["name"], method="Ask", payload="", end=True).output(frame("REQUEST", 2, b"", end=True, method=1))
    s.do("request", {"call": 4}, service=HOST["name"], method="Ask", payload="", end=True).output(frame("REQUEST", 4, b"", end=True, method=1))
    out.append(s.receive(frame("END", 4, status("NOT_FOUND", "no"))).event("end", call=4, status={"code": "NOT_FOUND", "message": "no"})
               .receive(frame("MESSAGE", 2, b"", end=True)).event("message", call=2, payload="", end=True))
    header: Json = {"timeout_ms": 250, "metadata": [["user", "ada"]], "traceparent": "t", "tracestate": "s", "origin": ["a", "b"]}
    s = request(Script("a header goes before the message").opened(), 1, header=header)
    out.append(s.output(frame("REQUEST", 1, hi, end=True, method=1, header=call_header(**header))))
    s = Script("a header is read, and an answer has one too", "plugin").opened().receive(frame("REQUEST", 1, hi, end=True, method=1, header=call_header(**header)))
    s.event("request", call=1, service=ELIZA["name"], method="Reply", header=header, payload=hi.hex(), end=True)
    s.do("send_message", call=1, payload=b"yes".hex(), end=False, header={"metadata": [["x", "1"]]}).do("end_call", call=1, status={"code": "OK", "metadata": [["t", "2"]]})
    out.append(s.output(frame("MESSAGE", 1, b"yes", header=call_header(metadata=[["x", "1"]])), frame("END", 1, status(metadata=[["t", "2"]]))))
    s = request(Script("the caller sees header and trailer").opened(), 1).output(frame("REQUEST", 1, hi, end=True, method=1))
    s.receive(frame("MESSAGE", 1, b"yes", header=call_header(metadata=[["x", "1"]])), frame("END", 1, status(metadata=[["t", "2"]])))
    s.event("message", call=1, payload=b"yes".hex(), end=False, header={"metadata": [["x", "1"]]})
    out.append(s.event("end", call=1, status={"code": "OK", "message": "", "metadata": [["t", "2"]]}))
    s = Script("a failure with details", "plugin").opened().receive(frame("REQUEST", 1, hi, end=True, method=1)).event("request", call=1)
    s.do("end_call", call=1, status={"code": "ABORTED", "message": "busy", "details": [{"type_url": "type.googleapis.com/a.B", "value": "0801"}]})
    out.append(s.output(frame("END", 1, status("ABORTED", "busy", [("type.googleapis.com/a.B", b"\x08\x01")]))))
    s = request(request(Script("answers may come in another order").opened(), 1), 3)
    s.output(frame("REQUEST", 1, hi, end=True, method=1), frame("REQUEST", 3, hi, end=True, method=1))
    s.receive(frame("MESSAGE", 3, b"3", end=True), frame("MESSAGE", 1, b"1", end=True))
    out.append(s.event("message", call=3, payload="33", end=True).event("message", call=1, payload="31", end=True))
    s = request(Script("frames for a call that has ended are dropped").opened(), 1).output(frame("REQUEST", 1, hi, end=True, method=1))
    s.receive(frame("MESSAGE", 1, b"1", end=True), frame("MESSAGE", 1, b"late", end=True), frame("END", 1), credit(1, 5), frame("END", 77), frame("MESSAGE", 75, b"?"))
    out.append(s.event("message", call=1, payload="31", end=True))
    s = Script("a method past the table is unimplemented", "plugin").opened().receive(frame("REQUEST", 1, b"", end=True, method=3))
    out.append(s.step(output_frame={"kind": 4, "call": 1, "status": failed("UNIMPLEMENTED", "3")}))
    s = Script("a method that the peer lacks is refused before it is sent").opened()
    s.refused("request", "UNIMPLEMENTED", "Shout", "demo.v1.ElizaService", service="demo.v1.ElizaService", method="Shout", payload="", end=True)
    out.append(s.refused("request", "UNIMPLEMENTED", "demo.v1.Nothing", service="demo.v1.Nothing", method="Reply", payload="", end=True))
    s = request(Script("an unknown kind and unknown flags are ignored").opened(), 1).output(frame("REQUEST", 1, hi, end=True, method=1))
    s.receive(struct.pack("<IBBHI", 3, 99, 7, 5, 1) + b"abc", struct.pack("<IBBHI", 1, 3, 0xF1, 9, 1) + b"x")
    out.append(s.event("message", call=1, payload="78", end=True))
    return [s.json for s in out]


def stream_scripts() -> list[Json]:
    out = []
    s = request(Script("a stream from the plugin").opened(), 1, "Chat").output(frame("REQUEST", 1, b"\x0a\x02hi", end=True, method=2))
    s.receive(frame("MESSAGE", 1, b"a"), frame("MESSAGE", 1, b"b")).event("message", call=1, payload="61", end=False).event("message", call=1, payload="62", end=False)
    out.append(s.receive(frame("END", 1)).event("end", call=1, status=OK))
    s = request(Script("a stream that fails half-way").opened(), 1, "Chat").output(frame("REQUEST", 1, b"\x0a\x02hi", end=True, method=2))
    s.receive(frame("MESSAGE", 1, b"a"), frame("END", 1, status("DATA_LOSS", "torn"))).event("message", call=1, payload="61", end=False)
    out.append(s.event("end", call=1, status={"code": "DATA_LOSS", "message": "torn"}))
    s = request(Script("a stream in both directions").opened(), 1, "Chat", None, False).output(frame("REQUEST", 1, method=2))
    s.do("send_message", call=1, payload="61", end=False).output(frame("MESSAGE", 1, b"a")).receive(frame("MESSAGE", 1, b"A")).event("message", call=1, payload="41", end=False)
    s.do("half_close", call=1).output(frame("END", 1)).receive(frame("MESSAGE", 1, b"Z", end=True))
    out.append(s.event("message", call=1, payload="5a", end=True))
    s = Script("a plugin takes a stream and answers once", "plugin").opened().receive(frame("REQUEST", 1, method=2)).event("request", call=1, method="Chat", payload=None, end=False)
    s.receive(frame("MESSAGE", 1, b"a"), frame("MESSAGE", 1, b"b", end=True)).event("message", call=1, payload="61", end=False).event("message", call=1, payload="62", end=True)
    out.append(s.do("send_message", call=1, payload="7a", end=True).output(frame("MESSAGE", 1, b"z", end=True)))
    s = Script("the caller's end is an event at the callee", "plugin").opened().receive(frame("REQUEST", 1, method=2), frame("END", 1)).event("request", call=1)
    out.append(s.event("end", call=1, status=OK).do("end_call", call=1, status=OK).output(frame("END", 1)))
    s = request(Script("a callee may end before the caller does").opened(), 1, "Chat", None, False).output(frame("REQUEST", 1, method=2)).receive(frame("END", 1, status("ABORTED", "enough")))
    out.append(s.event("end", call=1, status={"code": "ABORTED", "message": "enough"}).do("send_message", call=1, payload="61", end=False).do("half_close", call=1).output(b""))
    s = Script("messages after the callee's early end are dropped", "plugin").opened().receive(frame("REQUEST", 1, method=2)).event("request", call=1)
    s.do("end_call", call=1, status={"code": "ABORTED", "message": "enough"}).output(frame("END", 1, status("ABORTED", "enough")))
    out.append(s.receive(frame("MESSAGE", 1, b"late"), frame("END", 1)))
    return [s.json for s in out]


def cancellation_scripts() -> list[Json]:
    out = []
    s = request(Script("a caller cancels").opened(), 1).output(frame("REQUEST", 1, b"\x0a\x02hi", end=True, method=1))
    s.do("cancel", call=1, status={"code": "CANCELLED", "message": "bored"}).event("end", call=1, status={"code": "CANCELLED", "message": "bored"})
    out.append(s.output(frame("CANCEL", 1, status("CANCELLED", "bored"))).receive(frame("MESSAGE", 1, b"late", end=True)))
    s = request(Script("a caller's deadline").opened(), 1, header={"timeout_ms": 5}).output(frame("REQUEST", 1, b"\x0a\x02hi", end=True, method=1, header=call_header(5)))
    s.do("cancel", call=1, status={"code": "DEADLINE_EXCEEDED", "message": "5 ms"}).event("end", call=1, status={"code": "DEADLINE_EXCEEDED", "message": "5 ms"})
    out.append(s.output(frame("CANCEL", 1, status("DEADLINE_EXCEEDED", "5 ms"))))
    s = Script("a handler sees the cancellation, and its answer goes nowhere", "plugin").opened().receive(frame("REQUEST", 1, end=True, method=1)).event("request", call=1)
    s.receive(frame("CANCEL", 1, status("CANCELLED", "bored"))).event("cancelled", call=1, status={"code": "CANCELLED", "message": "bored"})
    out.append(s.do("send_message", call=1, payload="61", end=True).do("end_call", call=1, status=OK).output(b""))
    s = Script("an empty cancel means CANCELLED", "plugin").opened().receive(frame("REQUEST", 1, end=True, method=1)).event("request", call=1)
    out.append(s.receive(frame("CANCEL", 1)).event("cancelled", call=1, status={"code": "CANCELLED"}))
    s = Script("a deadline at the callee", "plugin").opened().receive(frame("REQUEST", 1, end=True, method=1, header=call_header(9))).event("request", call=1, header={"timeout_ms": 9})
    s.do("expire", call=1).event("cancelled", call=1, status=failed("DEADLINE_EXCEEDED")).step(output_frame={"kind": 4, "call": 1, "status": failed("DEADLINE_EXCEEDED")})
    out.append(s.do("send_message", call=1, payload="61", end=True).receive(frame("CANCEL", 1, status("DEADLINE_EXCEEDED", ""))))
    s = Script("a request without time left is not handled", "plugin").opened().receive(frame("REQUEST", 1, end=True, method=1, header=call_header(0)))
    out.append(s.step(output_frame={"kind": 4, "call": 1, "status": failed("DEADLINE_EXCEEDED")}))
    out.append(Script("cancel for a call that is not open is dropped", "plugin").opened().receive(frame("CANCEL", 9)))
    return [s.json for s in out]


def credit_scripts() -> list[Json]:
    small = (4194304, 1000, 100)
    out = []
    s = request(Script("credit is spent and given back").opened(peer_limits=small), 1, "Chat", None, False).output(frame("REQUEST", 1, method=2)).do("credit", {"bytes": 100}, call=1)
    s.do("send_message", call=1, payload="61" * 60, end=False).do("credit", {"bytes": 40}, call=1).do("send_message", call=1, payload="62" * 60, end=False)
    s.output(frame("MESSAGE", 1, b"a" * 60), frame("MESSAGE", 1, b"b" * 60)).do("credit", {"bytes": 0}, call=1)
    s.refused("send_message", "RESOURCE_EXHAUSTED", "credit", call=1, payload="63", end=False)
    s.receive(credit(1, 20)).do("credit", {"bytes": 0}, call=1).receive(credit(1, 50)).event("writable", call=1).do("credit", {"bytes": 50}, call=1)
    out.append(s.receive(credit(1, 10)).do("credit", {"bytes": 60}, call=1))
    s = request(Script("the request message spends credit").opened(peer_limits=small), 1, "Chat", b"r" * 30, True).output(frame("REQUEST", 1, b"r" * 30, end=True, method=2))
    out.append(s.do("credit", {"bytes": 70}, call=1))
    s = request(Script("a message over the window passes once").opened(peer_limits=small), 1, "Chat", None, False).output(frame("REQUEST", 1, method=2))
    out.append(s.do("send_message", call=1, payload="61" * 500, end=False).output(frame("MESSAGE", 1, b"a" * 500)).do("credit", {"bytes": 0}, call=1).receive(credit(1, 401)).event("writable", call=1).do("credit", {"bytes": 1}, call=1))
    own = {"initial_credit_bytes": 100}
    s = request(Script("a reader grants what it consumed, from half the window on", limits=own).opened(own_limits=small), 1, "Chat").output(frame("REQUEST", 1, b"\x0a\x02hi", end=True, method=2))
    s.receive(frame("MESSAGE", 1, b"a" * 30), frame("MESSAGE", 1, b"b" * 30)).event("message", call=1).event("message", call=1)
    s.do("consume", call=1, bytes=30).output(b"").do("consume", call=1, bytes=30).output(credit(1, 60))
    out.append(s.receive(frame("MESSAGE", 1, b"c" * 99, end=True)).event("message", call=1, end=True).do("consume", call=1, bytes=99).output(b"", note="nothing is granted after the end"))
    s = Script("a callee grants too", "plugin", limits=own).opened(own_limits=small).receive(frame("REQUEST", 1, method=2), frame("MESSAGE", 1, b"a" * 80)).event("request", call=1).event("message", call=1)
    out.append(s.do("consume", call=1, bytes=80).output(credit(1, 80)))
    return [s.json for s in out]


def limit_scripts() -> list[Json]:
    out = []
    s = Script("a message over the peer's limit is not sent").opened(peer_limits=(10, 1000, 65536))
    s.refused("request", "RESOURCE_EXHAUSTED", "11", "10", service=ELIZA["name"], method="Reply", payload="61" * 11, end=True)
    out.append(request(s, 1, payload=b"a" * 10).output(frame("REQUEST", 1, b"a" * 10, end=True, method=1)))
    s = Script("a message over one's own limit is not sent either", limits={"max_message_bytes": 10}).opened(own_limits=(10, 1000, 65536))
    out.append(s.refused("request", "RESOURCE_EXHAUSTED", "11", "10", service=ELIZA["name"], method="Reply", payload="61" * 11, end=True))
    s = Script("an answer over the limit ends its call", "plugin").opened(peer_limits=(10, 1000, 65536), own_limits=(10, 1000, 65536)).receive(frame("REQUEST", 1, end=True, method=1)).event("request", call=1)
    s.refused("send_message", "RESOURCE_EXHAUSTED", "11", "10", call=1, payload="61" * 11, end=True)
    out.append(s.step(output_frame={"kind": 4, "call": 1, "status": failed("RESOURCE_EXHAUSTED", "11", "10")}).do("send_message", call=1, payload="61", end=True).output(b""))
    too_long: Json = {"metadata": [["k", "v" * 65536]]}
    s = Script("a call header over its limit is not sent").opened()
    s.refused("request", "RESOURCE_EXHAUSTED", "header", "65532", service=ELIZA["name"], method="Reply", payload="", end=True, header=too_long)
    s.refused("request", "INVALID_ARGUMENT", "User", service=ELIZA["name"], method="Reply", payload="", end=True, header={"metadata": [["User", "ada"]]})
    out.append(request(s, 1).output(frame("REQUEST", 1, b"\x0a\x02hi", end=True, method=1)))
    for name, code, header, words in [("over its limit", "RESOURCE_EXHAUSTED", too_long, ["header", "65532"]), ("that cannot be sent", "INVALID_ARGUMENT", {"metadata": [["User", "ada"]]}, ["User"])]:
        s = Script(f"an answer with a call header {name} ends its call", "plugin").opened().receive(frame("REQUEST", 1, end=True, method=1)).event("request", call=1)
        s.refused("send_message", code, *words, call=1, payload="61", end=True, header=header)
        out.append(s.step(output_frame={"kind": 4, "call": 1, "status": failed(code, *words)}).do("send_message", call=1, payload="61", end=True).output(b""))
    s = Script("an answer waits while the output is full", "plugin", limits={"max_buffer_bytes": 100}).opened()
    s.receive(frame("REQUEST", 1, end=True, method=1), frame("REQUEST", 3, end=True, method=1)).event("request", call=1).event("request", call=3)
    s.do("send_message", call=1, payload="61" * 120, end=True).refused("send_message", "RESOURCE_EXHAUSTED", "100", call=3, payload="62" * 20, end=True)
    s.output(frame("MESSAGE", 1, b"a" * 120, end=True)).event("writable", call=3)
    out.append(s.do("send_message", call=3, payload="62" * 20, end=True).output(frame("MESSAGE", 3, b"b" * 20, end=True)))
    s = request(Script("a request that finds the output full is refused", limits={"max_buffer_bytes": 100}).opened(), 1, payload=b"a" * 120)
    s.refused("request", "RESOURCE_EXHAUSTED", "100", service=ELIZA["name"], method="Reply", payload="", end=True).output(frame("REQUEST", 1, b"a" * 120, end=True, method=1))
    out.append(request(s, 3).output(frame("REQUEST", 3, b"\x0a\x02hi", end=True, method=1)))
    s = Script("a streamed request over the limit ends its call at both sides").opened(peer_limits=(10, 1000, 65536))
    request(s, 1, "Chat", None, False).output(frame("REQUEST", 1, method=2)).refused("send_message", "RESOURCE_EXHAUSTED", "11", "10", call=1, payload="61" * 11, end=False)
    out.append(s.event("end", call=1, status=failed("RESOURCE_EXHAUSTED", "11", "10")).step(output_frame={"kind": 5, "call": 1, "status": failed("RESOURCE_EXHAUSTED", "11", "10")}))
    s = request(request(Script("more requests than the peer takes are refused").opened(peer_limits=(4194304, 2, 65536)), 1), 3)
    s.output(frame("REQUEST", 1, b"\x0a\x02hi", end=True, method=1), frame("REQUEST", 3, b"\x0a\x02hi", end=True, method=1))
    s.refused("request", "RESOURCE_EXHAUSTED", "2", service=ELIZA["name"], method="Reply", payload="", end=True)
    s.receive(frame("MESSAGE", 1, b"", end=True)).event("message", call=1)
    out.append(request(s, 5).output(frame("REQUEST", 5, b"\x0a\x02hi", end=True, method=1)))
    s = Script("a callee refuses requests over its limit", "plugin", limits={"max_pending_requests": 1}).opened(own_limits=(4194304, 1, 65536))
    s.receive(frame("REQUEST", 1, end=True, method=1), frame("REQUEST", 3, end=True, method=1)).event("request", call=1)
    out.append(s.step(output_frame={"kind": 4, "call": 3, "status": failed("RESOURCE_EXHAUSTED", "1")}))
    s = request(Script("unread messages over the buffer end their call", limits={"max_buffer_bytes": 100}).opened(), 1, "Chat").output(frame("REQUEST", 1, b"\x0a\x02hi", end=True, method=2))
    s.receive(frame("MESSAGE", 1, b"a" * 90)).event("message", call=1).receive(frame("MESSAGE", 1, b"b" * 20)).event("end", call=1, status=failed("RESOURCE_EXHAUSTED", "100"))
    out.append(s.step(output_frame={"kind": 5, "call": 1, "status": failed("RESOURCE_EXHAUSTED", "100")}))
    return [s.json for s in out]


def connection_scripts() -> list[Json]:
    out = []
    s = Script("a ping is answered").opened().receive(frame("PING", 0, b"abc")).output(frame("PONG", 0, b"abc")).do("ping", payload="7879").output(frame("PING", 0, b"xy"))
    out.append(s.receive(frame("PONG", 0, b"xy")).event("pong", payload="7879"))
    record = number(1, 3) + data(2, "hello") + data(3, "demo") + number(4, 1700000000123) + data(5, data(1, "k") + data(2, "v"), explicit=True)
    as_json: Json = {"level": "INFO", "message": "hello", "logger": "demo", "time_ms": 1700000000123, "fields": {"k": "v"}}
    out.append(Script("a log record arrives").opened().receive(frame("LOG", 0, record)).event("log", record=as_json))
    out.append(Script("a log record is sent", "plugin").opened().do("log", record=as_json).output(frame("LOG", 0, record)))
    s = request(Script("a host drains: calls in flight go on, new ones are refused").opened(), 1).output(frame("REQUEST", 1, b"\x0a\x02hi", end=True, method=1))
    s.do("drain").output(go_away()).refused("request", "UNAVAILABLE", "drain", service=ELIZA["name"], method="Reply", payload="", end=True)
    s.receive(frame("REQUEST", 2, end=True, method=1)).step(output_frame={"kind": 4, "call": 2, "status": failed("UNAVAILABLE", "drain")})
    out.append(s.receive(frame("MESSAGE", 1, b"y", end=True)).event("message", call=1).event("drained"))
    out.append(Script("a drain without calls is over at once").opened().do("drain").output(go_away()).event("drained"))
    s = Script("a plugin is told to drain", "plugin").opened().receive(frame("REQUEST", 1, end=True, method=1)).event("request", call=1).receive(go_away()).event("goaway", status=None)
    s.refused("request", "UNAVAILABLE", service=HOST["name"], method="Ask", payload="", end=True)
    out.append(s.do("send_message", call=1, payload="61", end=True).output(frame("MESSAGE", 1, b"a", end=True)).event("drained"))
    s = request(Script("a failure of the peer ends all calls").opened(), 1).output(frame("REQUEST", 1, b"\x0a\x02hi", end=True, method=1))
    s.receive(go_away(status("INTERNAL", "bad frame at offset 99"))).event("goaway", status={"code": "INTERNAL", "message": "bad frame at offset 99"})
    s.event("end", call=1, status=failed("UNAVAILABLE", "bad frame at offset 99")).event("closed", status=failed("INTERNAL", "bad frame at offset 99"))
    out.append(s.refused("request", "UNAVAILABLE", "bad frame at offset 99", service=ELIZA["name"], method="Reply", payload="", end=True))
    s = Script("the end of the stream ends all calls, with the reason", "plugin").opened().receive(frame("REQUEST", 1, end=True, method=1)).event("request", call=1)
    s.do("request", {"call": 2}, service=HOST["name"], method="Ask", payload="", end=True).output(frame("REQUEST", 2, end=True, method=1))
    s.do("closed", reason={"code": "UNAVAILABLE", "message": "the process exited with status 3"})
    s.event("cancelled", call=1, status=failed("UNAVAILABLE", "status 3")).event("end", call=2, status=failed("UNAVAILABLE", "status 3")).event("closed", status=failed("UNAVAILABLE", "status 3"))
    out.append(s.do("send_message", call=1, payload="61", end=True).do("closed", reason={"code": "UNAVAILABLE", "message": "again"}).receive(frame("PING")).output(b""))
    s = Script("the end of the stream inside a frame is said").opened().receive(frame("PING", 0, b"abc")[:13]).do("closed", reason={"code": "UNAVAILABLE", "message": "the pipe closed"})
    out.append(s.event("closed", status=failed("UNAVAILABLE", "the pipe closed")))
    s = Script("a session fails by its owner's word").opened().do("fail", status={"code": "INTERNAL", "message": "giving up"}).output(go_away(status("INTERNAL", "giving up")))
    out.append(s.event("closed", status={"code": "INTERNAL", "message": "giving up"}))
    return [s.json for s in out]


def malformed_scripts() -> list[Json]:
    out = []
    start = len(MAGIC + frame("HELLO", 0, hello("vector-plugin", [REFLECTION, ELIZA])))

    def bad(name: str, raw: bytes, code: str, *contains: str, before: bytes = b"", open_call: bool = False) -> None:
        s = Script(name).opened()
        if open_call:
            request(s, 1).output(frame("REQUEST", 1, b"\x0a\x02hi", end=True, method=1))
        offset = start + len(before)
        s.receive(before, raw)
        if open_call:
            s.event("end", call=1, status=failed("UNAVAILABLE", f"offset {offset}"))
        s.event("closed", status=failed(code, f"offset {offset}", *contains))
        out.append(s.step(output_frame={"kind": 10, "call": 0, "status": failed(code, f"offset {offset}")}))

    bad("a second hello", frame("HELLO", 0, hello("x", [])), "INTERNAL")
    bad("a second hello after other frames", frame("HELLO", 0, hello("x", [])), "INTERNAL", before=struct.pack("<IBBHI", 3, 99, 0, 0, 0) + b"abc")
    bad("a request with the reader's own parity", frame("REQUEST", 1, end=True, method=0), "INTERNAL")
    bad("a request with id 0", frame("REQUEST", 0, end=True, method=0), "INTERNAL")
    bad("a message without a call", frame("MESSAGE", 0, b"x"), "INTERNAL")
    bad("an end without a call", frame("END", 0), "INTERNAL")
    bad("a cancel without a call", frame("CANCEL", 0), "INTERNAL")
    bad("credit without a call", credit(0, 3), "INTERNAL")
    bad("a ping with a call", frame("PING", 2), "INTERNAL")
    bad("a pong with a call", frame("PONG", 2), "INTERNAL")
    bad("a log record with a call", frame("LOG", 2), "INTERNAL")
    bad("a goaway with a call", frame("GOAWAY", 2), "INTERNAL")
    bad("a cancel from the callee", frame("CANCEL", 1), "INTERNAL", open_call=True)
    bad("a header that is longer than the payload", struct.pack("<IBBHI", 6, 2, 3, 0, 2) + struct.pack("<I", 3) + b"ab", "INTERNAL")
    bad("a header without its length", struct.pack("<IBBHI", 2, 2, 3, 0, 2) + b"ab", "INTERNAL")
    bad("a header that cannot be parsed", frame("REQUEST", 2, b"", end=True, header=b"\x2a\x05"), "INTERNAL")
    bad("a header on an end", frame("END", 1, b"", header=b""), "INTERNAL", open_call=True)
    bad("a stream's request with a message", frame("REQUEST", 2, b"x", method=1), "INTERNAL")
    bad("a status that cannot be parsed", frame("END", 1, b"\x12\x05ab"), "INTERNAL", open_call=True)
    bad("a ping of 65 bytes", frame("PING", 0, b"p" * 65), "INTERNAL")
    bad("a frame that is too long, before its payload", struct.pack("<IBBHI", 4194304 + 65536 + 1, 3, 0, 0, 1), "RESOURCE_EXHAUSTED", open_call=True)
    flood = request(Script("credit over 2^31 - 1").opened(), 1, "Chat", None, False).output(frame("REQUEST", 1, method=2)).receive(credit(1, 2147483647))
    flood.event("end", call=1, status=failed("UNAVAILABLE", f"offset {start}")).event("closed", status=failed("INTERNAL", f"offset {start}"))
    out.append(flood.step(output_frame={"kind": 10, "call": 0, "status": failed("INTERNAL", "offset")}))
    twice = Script("a request id that is in use", "plugin").opened().receive(frame("REQUEST", 1, end=True, method=1)).event("request", call=1)
    offset = len(MAGIC + frame("HELLO", 0, hello("vector-host", [REFLECTION, HOST]))) + 12
    twice.receive(frame("REQUEST", 1, end=True, method=1)).event("cancelled", call=1, status=failed("UNAVAILABLE", f"offset {offset}"))
    out.append(twice.event("closed", status=failed("INTERNAL", f"offset {offset}")).step(output_frame={"kind": 10, "call": 0, "status": failed("INTERNAL", f"offset {offset}")}))
    early = Script("a frame before hello").step(output_starts=MAGIC.hex()).receive(MAGIC, frame("PING"))
    out.append(early.event("closed", status=failed("INTERNAL", "offset 8", "HELLO")).step(output_frame={"kind": 10, "call": 0, "status": failed("INTERNAL", "offset 8")}))
    garbled = Script("a hello that cannot be parsed").step(output_starts=MAGIC.hex()).receive(MAGIC, frame("HELLO", 0, b"\xff\xff"))
    out.append(garbled.event("closed", status=failed("INTERNAL", "offset 8")).step(output_frame={"kind": 10, "call": 0, "status": failed("INTERNAL", "offset 8")}))
    over = Script("a message over the limit, within the frame's allowance", limits={"max_message_bytes": 10}).opened(own_limits=(10, 1000, 65536))
    request(over, 1).output(frame("REQUEST", 1, b"\x0a\x02hi", end=True, method=1)).receive(frame("MESSAGE", 1, b"a" * 11))
    over.event("end", call=1, status=failed("UNAVAILABLE", f"offset {start}")).event("closed", status=failed("RESOURCE_EXHAUSTED", f"offset {start}"))
    out.append(over.step(output_frame={"kind": 10, "call": 0, "status": failed("RESOURCE_EXHAUSTED", "offset")}))
    return [s.json for s in out]


def main() -> int:
    files: dict[Path, Any] = {HERE / "frames.json": frame_vectors(), HERE / "statuses.json": status_vectors(), HERE / "headers.json": header_vectors()}
    files |= {HERE / "sessions" / f"{name}.json": scripts for name, scripts in session_vectors().items()}
    stale = []
    for path, content in files.items():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    if "--check" in sys.argv and stale:
        print("not what build.py writes: " + ", ".join(str(p.relative_to(HERE)) for p in stale), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
