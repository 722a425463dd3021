"""anyplug's own host, and plugins that are WebAssembly modules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from anyplug import Plugin, SyncPlugin, WasmLimits, load_plugin
from anyplug_generated.anyplug.bench.v1.bench_anyplug import Bench
from anyplug_generated.eliza_classic.v1.eliza_anyplug import Eliza

from ._clock import Answer, AsyncRuns, async_latency, latency, serve_async, serve_sync
from ._loop import run_on
from ._starts import DATA, MODULES, batch_of, fresh_file, starts

__all__ = ("serve",)

_ROOT = Path(__file__).resolve().parents[4]
_LINE = "Men are all alike."


def serve(name: str, guest: str, loop: str) -> None:
    """Serves rounds: of calls to the bench plugin as a module; ``guest``: "rust", "ts" or "bare"."""
    if name == "direct-eliza":
        with load_plugin(_ROOT / "plugins/eliza-classic/python", transport="direct") as eliza:
            serve_sync({"eliza": _replies(eliza)})
    elif name == "asyncio-wasm":
        run_on(loop, _serve_async(guest))
    else:
        _serve_threads(guest)


def _file(guest: str) -> Path:
    built = _ROOT / f"plugins/bench-plugin/{guest}/bin/bench-plugin.wasm"
    return MODULES / "bare.wasm" if guest == "bare" else built


def _eliza(guest: str) -> Path:
    return _ROOT / f"plugins/eliza-classic/{guest}/bin/eliza-classic.wasm"


def _serve_threads(guest: str) -> None:
    def start(path: Path, wasm: WasmLimits | None = None) -> Callable[[], object]:
        one = load_plugin(path, wasm=wasm).open()
        one.client(Bench).echo(data=DATA["echo16"])
        return one.close

    file = _file(guest)
    module = file.read_bytes()
    nowhere = WasmLimits(cache_dir="")
    with ExitStack() as stack:
        plugin = stack.enter_context(load_plugin(file))
        runs = {
            **_echoes(plugin),
            **starts(lambda: fresh_file(module, lambda path: start(path, nowhere)), partial(start, file)),
        }
        if guest != "bare":
            runs["eliza"] = _replies(stack.enter_context(load_plugin(_eliza(guest))))
        serve_sync(runs)


async def _serve_async(guest: str) -> None:
    async with load_plugin(_file(guest)) as plugin:
        runs = _async_echoes(plugin)
        if guest == "bare":
            await serve_async(runs)
            return
        async with load_plugin(_eliza(guest)) as eliza:
            client = eliza.client(Eliza)
            replies: Callable[[], Awaitable[object]] = lambda: client.reply(text=_LINE, session_id="bench")  # noqa: E731
            await serve_async({**runs, "eliza": lambda ms: async_latency(ms, replies, 10)})


def _echoes(plugin: SyncPlugin) -> dict[str, Callable[[float], Answer]]:
    bench = plugin.client(Bench)

    def echo(data: bytes) -> None:
        _checked(bench.echo(data=data).data, data)

    return {name: partial(latency, call=partial(echo, data), batch=batch_of(data)) for name, data in DATA.items()}


def _async_echoes(plugin: Plugin) -> AsyncRuns:
    bench = plugin.client(Bench)

    async def echo(data: bytes) -> None:
        _checked((await bench.echo(data=data)).data, data)

    return {name: partial(async_latency, call=partial(echo, data), batch=batch_of(data)) for name, data in DATA.items()}


def _replies(plugin: SyncPlugin) -> Callable[[float], Answer]:
    client = plugin.client(Eliza)
    return partial(latency, call=lambda: client.reply(text=_LINE, session_id="bench"), batch=10)


def _checked(echo: bytes, data: bytes) -> None:
    if len(echo) != len(data):
        raise RuntimeError("an echo of another size")
