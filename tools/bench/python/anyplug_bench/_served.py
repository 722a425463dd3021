"""anyplug's own host, and a plugin that is served at an address."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anyplug import load_plugin

from . import _host, _host_asyncio
from ._clock import serve_async, serve_sync
from ._loop import run_on

__all__ = ("serve",)

_ROOT = Path(__file__).resolve().parents[4]
_PROGRAMS = {
    "ts": ["node", "dist/main.js"],
    "python": [str(_ROOT / ".venv/bin/python"), "-m", "anyplug_bench_plugin"],
    "rust": [str(_ROOT / "plugins/bench-plugin/rust/bin/anyplug-bench-plugin")],
}


def serve(name: str, language: str, loop: str) -> None:
    """Serves rounds: of calls to the bench plugin of a language, which is served on a Unix socket or by TCP."""
    kind = name.removeprefix("asyncio-")
    with _served(kind, language) as address:
        if kind == name:
            with load_plugin(address) as plugin:
                serve_sync(_host.calls_of(plugin))
        else:
            run_on(loop, _serve_async(address))


async def _serve_async(address: str) -> None:
    async with load_plugin(address) as plugin:
        await serve_async(_host_asyncio.calls_of(plugin))


@contextmanager
def _served(kind: str, language: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="anyplug-bench-") as folder:
        listen = f"unix:{folder}/socket" if kind == "unix" else "tcp://127.0.0.1:0"
        with subprocess.Popen(
            _PROGRAMS[language],
            cwd=_ROOT / "plugins/bench-plugin" / language,
            env={**os.environ, "ANYPLUG_LISTEN": listen},
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            if child.stdout is None:
                raise RuntimeError("the plugin has no output")
            try:
                # "bench-plugin at ADDRESS", once it can be reached.
                yield child.stdout.readline().rsplit(" ", 1)[-1].strip()
            finally:
                child.terminate()
