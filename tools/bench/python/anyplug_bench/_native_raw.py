"""Native code that is called without anyplug: a C function by ctypes, and extensions by cffi's API mode and by PyO3."""

from __future__ import annotations

import ctypes
import importlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ._clock import latency, serve_sync

__all__ = ("DATA", "checked", "serve")

_CACHE = Path(__file__).resolve().parents[4] / ".cache"
# The bytes of each echo, and how many echoes are a sample of the latency.
DATA = {"echo64": (b"\7" * 64, 50), "echo64k": (b"\7" * (64 << 10), 1)}


def serve(name: str, how: str, loop: str) -> None:
    """Serves rounds. ``name``: "cffi" or "pyo3", which take bytes and return others, or "ffi-raw", which is ctypes."""
    if name == "ffi-raw":
        call = _ctypes()
    else:
        echo = {"cffi": _cffi, "pyo3": _pyo3}[name]()
        call = lambda data: checked(echo(data), data)  # noqa: E731
    serve_sync({size: partial(latency, call=partial(call, data), batch=batch) for size, (data, batch) in DATA.items()})


def checked(echo: bytes, data: bytes) -> None:
    """Raises an error when it is no echo."""
    if len(echo) != len(data):
        raise RuntimeError("an echo of another size")


def _ctypes() -> Callable[[bytes], None]:
    memcpy = ctypes.CDLL(None).memcpy
    memcpy.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
    memcpy.restype = ctypes.c_void_p
    room = ctypes.create_string_buffer(64 << 10)
    address = ctypes.addressof(room)

    def copy(data: bytes, _room: object = room) -> None:
        memcpy(address, data, len(data))

    return copy


def _cffi() -> Callable[[bytes], bytes]:
    extension = _extension("anyplug_bench_cffi")
    echo, room = extension.lib.echo, extension.ffi.new("uint8_t[]", 64 << 10)
    view = extension.ffi.buffer(room)

    def call(data: bytes) -> bytes:
        size = len(data)
        echo(room, data, size)
        answer: bytes = view[:size]
        return answer

    return call


def _pyo3() -> Callable[[bytes], bytes]:
    echo: Callable[[bytes], bytes] = _extension("anyplug_bench_pyo3").echo
    return echo


def _extension(name: str) -> Any:
    sys.path.append(str(_CACHE / "bench" / "natives"))
    try:
        return importlib.import_module(name)
    except ImportError as error:
        log = _CACHE / "logs" / "benchmark-extensions.log"
        raise SystemExit(f"{name} is not there: it could not be built; see {log} ({error})") from error
