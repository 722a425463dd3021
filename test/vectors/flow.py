"""Sessions: credit and limits."""

from __future__ import annotations

from script import Script, failed, request
from wire import ELIZA, Json, credit, frame


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
    s = Script("one's own limit is for what comes, not for what is sent", limits={"max_message_bytes": 10}).opened(own_limits=(10, 1000, 65536))
    out.append(request(s, 1, payload=b"a" * 11).output(frame("REQUEST", 1, b"a" * 11, end=True, method=1)))
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
