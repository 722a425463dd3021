"""ElizaOS's line protocol: an action that a plain loop in Python answers."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from ._clock import SMALL, async_measurements, serve_async
from ._loop import run_on

__all__ = ("serve",)

_PROGRAM = Path(__file__).resolve().parents[1] / "line.py"
_REQUEST = {
    "type": "action.invoke",
    "action": "UMBRELLA",
    "memory": {"content": {"text": "m" * SMALL}},
    "state": {"text": "", "values": {"rain": True}, "data": {}},
    "options": None,
}


def serve(name: str, how: str, loop: str) -> None:
    """Serves rounds."""
    run_on(loop, _serve())


async def _serve() -> None:
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, str(_PROGRAM), stdin=pipe, stdout=pipe)
    reader, writer = child.stdout, child.stdin
    if reader is None or writer is None:
        raise RuntimeError("the child has no pipes")
    await reader.readline()
    waiting: dict[str, asyncio.Future[Any]] = {}
    last = 0

    async def read() -> None:
        while line := await reader.readline():
            answer = json.loads(line)
            waiting.pop(answer["id"]).set_result(answer)

    async def echo(_: int) -> None:
        nonlocal last
        last += 1
        identity = str(last)
        answered = waiting[identity] = asyncio.get_running_loop().create_future()
        writer.write(json.dumps({**_REQUEST, "id": identity}).encode() + b"\n")
        if not (await answered)["result"]["success"]:
            raise RuntimeError("the action failed")

    reading = asyncio.create_task(read())
    runs = async_measurements(echo)
    await serve_async({what: runs[what] for what in ("latency", "throughput")})
    writer.close()
    await child.wait()
    await reading
