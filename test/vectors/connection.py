"""Sessions: their beginning and their end."""

from __future__ import annotations

from script import Script, failed, request
from wire import ELIZA, HOST, MAGIC, REFLECTION, Json, data, frame, go_away, hello, number, status


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
