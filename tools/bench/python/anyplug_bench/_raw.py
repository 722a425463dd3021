"""The bytes of a call over bare pipes, without frames, calls or messages: what no host can be faster than."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ._clock import IN_FLIGHT, LARGE, LARGE_IN_FLIGHT, SMALL, STREAM, Answer, measurements, serve_sync

__all__ = ("command", "serve")

_BENCH = Path(__file__).resolve().parents[2]
_PROGRAM = _BENCH.parents[1] / "target/fast/anyplug-bench-echo"


def command(how: str) -> list[str]:
    """Returns the command line of a child that echoes from standard input to standard output."""
    programs = {
        "ts": ["node", str(_BENCH / "ts/echo.mjs")],
        "python": [sys.executable, str(_BENCH / "python/echo.py")],
    }
    return programs.get(how, [str(_PROGRAM), how])


def serve(name: str, how: str, loop: str) -> None:
    """Serves rounds. ``how``: "block", or a language, whose child blocks too."""
    raw = _Raw(how)
    if how == "stream":
        serve_sync({"stream": raw.stream})
    else:
        runs = measurements(raw.echo, threads=False)
        serve_sync({**runs, "throughput": raw.throughput, "bulk": raw.bulk, "load": raw.load})
    raw.close()


class _Raw:
    def __init__(self, how: str) -> None:
        self._how = how
        self._child = subprocess.Popen(command(how), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._child.stdin is None or self._child.stdout is None:
            raise RuntimeError("the child has no pipes")
        self._write, self._read = self._child.stdin.fileno(), self._child.stdout.fileno()

    def close(self) -> None:
        """Ends the child."""
        if self._child.stdin is not None:
            self._child.stdin.close()
        self._child.wait()

    def echo(self, size: int) -> None:
        """Sends so many bytes, fewer than a pipe holds, and waits for them."""
        os.write(self._write, bytes(size))
        while size > 0:
            size -= len(os.read(self._read, 1 << 20))

    def load(self, ms: float) -> Answer:
        """Until a new child has answered."""
        start = time.perf_counter()
        other = _Raw(self._how)
        other.echo(SMALL)
        value = (time.perf_counter() - start) * 1e3
        other.close()
        return {"value": value}

    def throughput(self, ms: float) -> Answer:
        """Small messages, as many in flight as calls would be."""
        return {"value": self._bytes_per_second(ms, SMALL, IN_FLIGHT) / SMALL}

    def bulk(self, ms: float) -> Answer:
        """Large messages; both directions count."""
        return {"value": self._bytes_per_second(ms, LARGE, LARGE_IN_FLIGHT) * 2 / 1e6}

    def _bytes_per_second(self, ms: float, size: int, in_flight: int) -> float:
        message = memoryview(bytes(size * in_flight))
        waiting = select.poll()
        to_send, sent, received = len(message), 0, 0
        os.set_blocking(self._write, False)
        start = time.perf_counter()
        end = start + ms / 1e3
        try:
            while received < sent or to_send > 0:
                waiting.register(self._read, select.POLLIN)
                if to_send > 0:
                    waiting.register(self._write, select.POLLOUT)
                ready = dict(waiting.poll())
                if self._write in ready:
                    count = os.write(self._write, message[:to_send])
                    to_send, sent = to_send - count, sent + count
                    if to_send == 0:
                        waiting.unregister(self._write)
                if self._read in ready:
                    whole = received // size
                    received += len(os.read(self._read, 1 << 20))
                    if time.perf_counter() < end:
                        to_send += (received // size - whole) * size
        finally:
            os.set_blocking(self._write, True)
        return received / (time.perf_counter() - start)

    def stream(self, ms: float) -> Answer:
        """Messages that the child sends without being asked for each, taken apart."""
        start = time.perf_counter()
        end = start + ms / 1e3
        messages = 0
        while time.perf_counter() < end:
            os.write(self._write, STREAM.to_bytes(4, "little"))
            missing = STREAM * SMALL
            while missing > 0:
                data = os.read(self._read, 1 << 20)
                missing -= len(data)
                messages += sum(1 for _ in _parts(data))
        return {"value": messages / (time.perf_counter() - start)}


def _parts(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), SMALL):
        yield data[at : at + SMALL]
