"""Sessions: what breaks the rules."""

from __future__ import annotations

import struct

from script import Script, failed, request
from wire import ELIZA, HOST, MAGIC, REFLECTION, Json, credit, frame, hello


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
