"""Extism plugins: modules that were built with one of Extism's development kits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from . import _native
from ._closing import AsyncCloses, Closes, Loads
from ._error import to_error
from ._lazy import asyncio
from ._log import LogLevel, LogRecord, OnLog, log_to_logging
from ._wasm import WasmLimits, WasmParts, wasm_parts

__all__ = ("ExtismFunction", "ExtismLoad", "ExtismPlugin", "SyncExtismPlugin", "load_extism_plugin")

ExtismFunction: TypeAlias = Callable[[bytes], bytes | str | None]
"""A function of the host's own, which plugins import from ``extism:host/user``. What it raises ends the call."""


def load_extism_plugin(
    source: str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    config: Mapping[str, str] | None = None,
    allowed_hosts: Iterable[str] = (),
    functions: Mapping[str, ExtismFunction] | None = None,
    max_var_bytes: int = 1 << 20,
    max_http_response_bytes: int = 50 << 20,
    wasm: WasmLimits | None = None,
    on_log: OnLog | None = None,
) -> ExtismLoad:
    """Says which Extism plugin to load, and how.

    What is returned loads it: by ``with`` for threads, by ``async with`` for asyncio.

    ``source``: the path of its module, or the module itself.
    ``name``: what the plugin is called in errors and in the log; by default the file's, without ``.wasm``.
    ``config``: the plugin's configuration.
    ``allowed_hosts``: names of hosts that it may send HTTP requests to; ``*`` stands for any run of characters.
    ``functions``: functions that it may import from ``extism:host/user``, by name: bytes in, bytes out. They are called
    in the thread of the plugin's call.
    ``max_var_bytes``: bytes of its variables, names and values. ``max_http_response_bytes``: bytes of the response to a
    request.
    ``wasm``: what it may take: memory, time, fuel, tables. Each of its ``instances`` takes one call at a time.
    ``on_log``: takes what the plugin logs and prints. By default the logger ``anyplug.plugin.<name>`` does.

    Loading raises AnyplugError: NOT_FOUND when there is no such file, INVALID_ARGUMENT when it is no valid core module,
    FAILED_PRECONDITION when it wants imports that there are not, RESOURCE_EXHAUSTED when it is over a limit, and what
    its first instance fails with.
    """
    return ExtismLoad(
        path=None if isinstance(source, bytes) else os.fspath(source),
        module=source if isinstance(source, bytes) else None,
        name=name,
        config=dict(config or {}),
        allowed_hosts=tuple(allowed_hosts),
        own_functions=dict(functions or {}),
        max_var_bytes=max_var_bytes,
        max_http_response_bytes=max_http_response_bytes,
        limits=wasm or WasmLimits(),
        own_on_log=on_log,
    )


@dataclass(frozen=True, kw_only=True)
class ExtismLoad(Loads["SyncExtismPlugin", "ExtismPlugin"]):
    """An Extism plugin that is to be loaded: ``with`` it, ``async with`` it, `await` it or `open` it."""

    path: str | None
    module: bytes | None
    name: str | None
    config: Mapping[str, str]
    allowed_hosts: tuple[str, ...]
    own_functions: Mapping[str, ExtismFunction]
    max_var_bytes: int
    max_http_response_bytes: int
    limits: WasmLimits
    own_on_log: OnLog | None

    # --- as the native module takes them ----------------------------------------------------------

    @property
    def wasm(self) -> WasmParts:
        """The limits."""
        return wasm_parts(self.limits)

    @property
    def instances(self) -> int:
        """How many instances share the calls."""
        return self.limits.instances

    @property
    def functions(self) -> dict[str, Callable[[bytes], bytes]]:
        """The host's own functions, which raise nothing but AnyplugError."""
        return {name: partial(_call, function) for name, function in self.own_functions.items()}

    @property
    def on_log(self) -> Callable[[Any], None]:
        """Takes the parts of a record."""
        name = self.name or (os.path.splitext(os.path.basename(self.path))[0] if self.path else "extism")
        on_log = self.own_on_log or log_to_logging(name)

        def take(parts: tuple[int, str, str, int, Mapping[str, str]]) -> None:
            level, message, logger, time_ms, fields = parts
            on_log(LogRecord(LogLevel(level), message, logger, time_ms, fields))

        return take

    # --- for threads -----------------------------------------------------------------------------

    def open(self) -> SyncExtismPlugin:
        """Loads the plugin for threads. It has to be closed."""
        return SyncExtismPlugin(_native.Extism.load(self))

    # --- for asyncio -----------------------------------------------------------------------------

    async def _open_async(self) -> ExtismPlugin:
        loop = asyncio.get_running_loop()
        return ExtismPlugin(await loop.run_in_executor(None, _native.Extism.load, self))


class _Loaded:
    """What both kinds have."""

    def __init__(self, native: _native.Extism) -> None:
        self._native = native

    @property
    def name(self) -> str:
        """What it is called."""
        return self._native.name

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that can be called."""
        return tuple(self._native.functions)

    @property
    def enforced(self) -> tuple[str, ...]:
        """Which limits are enforced, and how, such as ``call_timeout: epochs``."""
        return tuple(self._native.enforced)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class SyncExtismPlugin(_Loaded, Closes):
    """A loaded Extism plugin, for threads: any number of them may call it."""

    def call(self, function: str, data: bytes | str = b"", *, timeout: float | None = None) -> bytes:
        """Calls a function in this thread, and returns what it answers. ``timeout``: seconds.

        Raises AnyplugError: UNIMPLEMENTED when it has no such function; INTERNAL in the plugin's words when it fails,
        and when it traps; DEADLINE_EXCEEDED and RESOURCE_EXHAUSTED when it is over a limit; PERMISSION_DENIED when it
        asks a host that it was not granted; UNAVAILABLE when a request of its fails, and when it was closed; what a
        function of the host's own raised.
        """
        return self._native.call(function, _bytes(data), timeout)

    def close(self) -> None:
        """Takes no more calls. Those that are being made end by themselves."""
        self._native.close()


class ExtismPlugin(_Loaded, AsyncCloses):
    """A loaded Extism plugin, for asyncio: its calls run in threads of the loop's executor."""

    async def call(
        self,
        function: str,
        data: bytes | str = b"",
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - it is the plugin that is stopped
    ) -> bytes:
        """Calls a function, and returns what it answers. ``timeout``: seconds. It raises as that of threads does.

        Cancelling it does not stop the plugin, which ends by itself or when its time is over.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._native.call, function, _bytes(data), timeout)

    async def close(self) -> None:
        """Takes no more calls. Those that are being made end by themselves."""
        self._native.close()


def _bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else bytes(data)


def _call(function: ExtismFunction, data: bytes) -> bytes:
    try:
        output = function(data)
        return b"" if output is None else _bytes(output)
    except Exception as error:
        raise to_error(error) from error
