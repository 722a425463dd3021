"""Session scripts, step by step."""

from __future__ import annotations

from typing import Any

from wire import ELIZA, HOST, MAGIC, REFLECTION, Json, frame, hello


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
