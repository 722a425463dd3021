"""Sessions: calls and their ends."""

from __future__ import annotations

import struct

from script import OK, Script, failed, request
from wire import ELIZA, HOST, Json, call_header, credit, frame, status


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
