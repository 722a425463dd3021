"""wasmtime-py, by hand: bytes are copied in, a length comes back, bytes are copied out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import wasmtime

from ._clock import latency, serve_sync
from ._starts import DATA, MODULES, batch_of, fresh_module, starts

__all__ = ("serve",)


def serve(name: str, how: str, loop: str) -> None:
    """Serves rounds."""
    code = (MODULES / "raw.wasm").read_bytes()
    engine = wasmtime.Engine()
    module = wasmtime.Module(engine, code)
    echo = _instance(engine, module)

    def checked(data: bytes) -> None:
        if len(echo(data)) != len(data):
            raise RuntimeError("an echo of another size")

    def start(module: wasmtime.Module) -> Callable[[], object]:
        one = _instance(engine, module)
        one(DATA["echo16"])
        # What it would end is held until then.
        return lambda: one

    runs = {name: partial(latency, call=partial(checked, data), batch=batch_of(data)) for name, data in DATA.items()}
    cold = lambda: start(wasmtime.Module(engine, fresh_module(code)))  # noqa: E731
    serve_sync({**runs, **starts(cold, lambda: start(module))})


def _instance(engine: wasmtime.Engine, module: wasmtime.Module) -> Callable[[bytes], bytes]:
    store = wasmtime.Store(engine)
    exports = wasmtime.Instance(store, module, []).exports(store)
    memory, alloc, echo, place = exports["memory"], exports["alloc"], exports["echo"], exports["from"]

    def call(data: bytes) -> bytes:
        at = alloc(store, len(data))
        memory.write(store, data, at)
        size = echo(store, at, len(data))
        begin = place(store)
        return bytes(memory.read(store, begin, begin + size))

    return call
