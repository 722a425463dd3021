"""How long a module takes to start, and what a thousand of them take."""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from ._clock import Answer, percentiles

__all__ = ("DATA", "MODULES", "batch_of", "fresh_file", "fresh_module", "starts")

T = TypeVar("T")

MODULES = Path(__file__).resolve().parents[4] / ".cache/bench/modules"
# What each echo carries.
DATA = {"echo16": b"\7" * 16, "echo1k": b"\7" * (1 << 10), "echo64k": b"\7" * (64 << 10), "echo1m": b"\7" * (1 << 20)}
_INSTANCES = 1_000
# What is echoed from this size on takes longer than reading the clock does.
_LONG = 4096

# Starts a module and has it answer; what it returns ends that.
Start = Callable[[], Callable[[], object]]


def batch_of(data: bytes) -> int:
    """Returns how many echoes are a sample of the latency."""
    return 1 if len(data) > _LONG else 50


def starts(cold: Start, warm: Start) -> dict[str, Callable[[float], Answer]]:
    """Returns what is measured of a start that finds nothing cached, and of one whose module was loaded before."""
    return {
        "cold": lambda ms: _times(ms, cold),
        "warm": lambda ms: _times(ms, warm),
        "instances": lambda _: {"value": _many(warm)[0]},
        "instance-memory": lambda _: {"value": _many(warm)[1] / 1000 / _INSTANCES},
    }


def _times(ms: float, start: Start) -> Answer:
    samples: list[float] = []
    end = time.perf_counter() + ms / 1e3
    while not samples or time.perf_counter() < end:
        begun = time.perf_counter()
        close = start()
        samples.append((time.perf_counter() - begun) * 1e3)
        close()
    return percentiles(samples)


@cache
def _bytes_before() -> int:
    """What the process took before the first of many: what those of a round leave behind is taken up by the next."""
    return _resident_bytes()


def _many(start: Start) -> tuple[float, int]:
    before = _bytes_before()
    begun = time.perf_counter()
    closes = [start() for _ in range(_INSTANCES)]
    took = (time.perf_counter() - begun) * 1e3
    size = _resident_bytes() - before
    for close in closes:
        close()
    return took, size


def _resident_bytes() -> int:
    gc.collect()
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def fresh_file(module: bytes, use: Callable[[Path], T]) -> T:
    """Has ``use`` start a file with the same module in other bytes than any before."""
    with tempfile.TemporaryDirectory(prefix="anyplug-bench-") as folder:
        file = Path(folder) / "module.wasm"
        file.write_bytes(fresh_module(module))
        return use(file)


def fresh_module(module: bytes) -> bytes:
    """Returns the same module in other bytes than any before: a custom section says something random."""
    return module + b"\0\x15\x04salt" + os.urandom(16)
