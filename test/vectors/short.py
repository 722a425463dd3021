"""Sessions: calls by the short way of the embedded ABI, of which a frame is seen only when the answer is pending."""

from __future__ import annotations

import struct

from script import Script, failed, request
from wire import Json, call_header, frame, go_away, status

HI = b"\x0a\x02hi"


def accept(script: Script, call: int, returns: Json, *, method: int = 1, header: bytes | None = None) -> Script:
    payload = HI if header is None else struct.pack("<I", len(header)) + header + HI
    return script.do("accept_call", returns, call=call, index=method, has_header=header is not None, payload=payload.hex())


def broken(name: str, call: int, *contains: str) -> Script:
    s = accept(Script(name, "plugin").opened(), call, {"broken": True})
    s.step(output_frame={"kind": 10, "call": 0, "status": failed("INTERNAL", "malformed call: ", *contains)})
    return s.step(event={"type": "closed", "status": failed("INTERNAL", *contains)})


def short_scripts() -> list[Json]:
    out = []
    s = Script("a claimed call has the next id, and nothing is written").opened()
    s.do("claim_call", {"call": 1}, payload=HI.hex()).do("claim_call", {"call": 3}, payload="").output(b"")
    out.append(request(s, 5).output(frame("REQUEST", 5, HI, end=True, method=1)))
    s = Script("an adopted call is answered by frames").opened().do("claim_call", {"call": 1}, payload=HI.hex()).do("adopt_call", call=1, bytes=len(HI))
    out.append(s.output(b"").receive(frame("MESSAGE", 1, b"yes", end=True)).event("message", call=1, payload=b"yes".hex(), end=True))
    s = Script("an adopted call can be cancelled").opened().do("claim_call", {"call": 1}, payload="").do("adopt_call", call=1, bytes=0)
    s.do("cancel", call=1, status={"code": "CANCELLED", "message": "bored"}).event("end", call=1, status={"code": "CANCELLED", "message": "bored"})
    out.append(s.output(frame("CANCEL", 1, status("CANCELLED", "bored"))))
    s = Script("a call is claimed only if it could be requested").opened(peer_limits=(16, 1, 65536)).refused("claim_call", "RESOURCE_EXHAUSTED", "16", payload="00" * 17)
    s.do("claim_call", {"call": 1}, payload="00" * 16).do("adopt_call", call=1, bytes=16).refused("claim_call", "RESOURCE_EXHAUSTED", "1 requests", payload="")
    s.receive(frame("END", 1)).event("end", call=1).receive(go_away()).event("goaway", status=None).event("drained")
    out.append(s.refused("claim_call", "UNAVAILABLE", "draining", payload=""))
    s = Script("a call that is answered at once is not kept", "plugin").opened()
    s = accept(accept(s, 1, {"start": 0}), 1, {"start": 0})
    out.append(s.output(b"").receive(frame("CANCEL", 1, status("CANCELLED"))))
    s = accept(Script("a call that is kept is answered by frames", "plugin").opened(), 1, {"start": 0}).do("keep_call", call=1)
    out.append(s.do("send_message", call=1, payload=b"yes".hex(), end=True).output(frame("MESSAGE", 1, b"yes", end=True)))
    s = accept(Script("a call that is kept can be cancelled", "plugin").opened(), 1, {"start": 0}).do("keep_call", call=1)
    out.append(s.receive(frame("CANCEL", 1, status("CANCELLED", "bored"))).event("cancelled", call=1, status={"code": "CANCELLED", "message": "bored"}))
    header = call_header(timeout_ms=250, metadata=[["user", "ada"]])
    s = Script("the header of a call lies before its message", "plugin").opened()
    out.append(accept(s, 1, {"start": 4 + len(header), "header": {"timeout_ms": 250, "metadata": [["user", "ada"]]}}, header=header))
    s = Script("a call is refused for what it would be refused by frames", "plugin").opened()
    accept(accept(s, 1, {"refused": "UNIMPLEMENTED"}, method=3), 3, {"refused": "DEADLINE_EXCEEDED"}, header=call_header(timeout_ms=0))
    out.append(accept(s.do("drain").output(frame("GOAWAY")).event("drained"), 5, {"refused": "UNAVAILABLE"}))
    out.append(broken("a call with an id of the callee's ends the connection", 2, "call id 2", "not one of the sender's"))
    out.append(broken("a call without an id ends the connection", 0, "without a call"))
    s = Script("a call with an id that is in use ends the connection", "plugin").opened()
    s = accept(accept(s, 1, {"start": 0}).do("keep_call", call=1), 1, {"broken": True})
    s.step(output_frame={"kind": 10, "call": 0, "status": failed("INTERNAL", "call id 1", "in use")})
    out.append(s.event("cancelled", call=1).step(event={"type": "closed", "status": failed("INTERNAL", "in use")}))
    return [s.json for s in out]
