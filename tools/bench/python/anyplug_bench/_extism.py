"""Extism's host for Python: bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import extism

from ._clock import latency, serve_sync
from ._starts import DATA, MODULES, batch_of, fresh_module, starts

__all__ = ("serve",)


def serve(name: str, how: str, loop: str) -> None:
    """Serves rounds. ``how``: the function, "pass", or else "echo", which copies what it gets."""
    function = how or "echo"
    module = (MODULES / "extism.wasm").read_bytes()
    plugin = extism.Plugin(module)

    def echo(data: bytes) -> None:
        if len(plugin.call(function, data)) != len(data):
            raise RuntimeError("an echo of another size")

    def start(module: bytes) -> Callable[[], object]:
        one = extism.Plugin(module)
        one.call(function, DATA["echo16"])
        # What it would end is held until then.
        return lambda: one

    runs = {name: partial(latency, call=partial(echo, data), batch=batch_of(data)) for name, data in DATA.items()}
    serve_sync({**runs, **starts(lambda: start(fresh_module(module)), lambda: start(module))})
