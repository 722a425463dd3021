"""anyplug's own host, for threads."""

from __future__ import annotations

import time

from anyplug import PluginLoad, SyncPlugin, load_plugin
from anyplug_generated.anyplug.bench.v1.bench_anyplug import Bench

from ._clock import LARGE, SMALL, Answer, Runs, measurements, serve_sync

__all__ = ("calls_of", "load", "serve")

_DATA = {size: b"\7" * size for size in (SMALL, LARGE)}


def load(language: str, *, coroutine: bool = False) -> PluginLoad:
    """Returns the load of the bench plugin of a language as a child process; with none, of Python's in this process.

    ``coroutine``: the handler is one.
    """
    return load_plugin(
        f"plugins/bench-plugin/{language or 'python'}",
        transport="process" if language else "direct",
        config={"async": coroutine},
    )


def serve(name: str, language: str, loop: str) -> None:
    """Serves rounds."""

    def loaded(ms: float) -> Answer:
        start = time.perf_counter()
        other = load(language).open()
        other.client(Bench).echo(data=_DATA[SMALL])
        value = (time.perf_counter() - start) * 1e3
        other.close()
        return {"value": value}

    with load(language) as plugin:
        serve_sync({**calls_of(plugin, 1 if language else 10), "load": loaded})


def calls_of(plugin: SyncPlugin, batch: int = 1) -> Runs:
    """Returns what is measured of calls to a loaded bench plugin; ``batch`` calls are a sample of the latency."""
    bench = plugin.client(Bench)

    def echo(size: int) -> None:
        if len(bench.echo(data=_DATA[size]).data) != size:
            raise RuntimeError("an echo of another size")

    def stream(count: int, size: int) -> int:
        return sum(1 for _ in bench.count(count=count, size=size))

    return measurements(echo, stream, batch)
