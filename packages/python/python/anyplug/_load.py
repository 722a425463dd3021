"""Loads plugins."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from . import _native
from ._closing import Loads
from ._code import Code
from ._connection import Connection
from ._context import PeerInfo
from ._descriptor import ServiceDescriptor, known_services
from ._direct import DirectLink, DirectSide
from ._discovery import FoundPlugin
from ._error import AnyplugError, to_error
from ._ffi import FfiOptions, FfiParts, ffi_parts
from ._handler import Implementation
from ._lazy import asyncio
from ._lifetime import keep_track
from ._limits import Limits, limit_parts
from ._log import LogLevel, LogRecord, OnLog, log_to_logging
from ._module import find_library, load_definition
from ._plugin import Link, Plugin, SyncPlugin
from ._reconnect import ReconnectingLink, ReconnectOptions
from ._router import HandlerTable
from ._runner import LoopRunner, Runner, ThreadRunner
from ._schema import ServiceParts, service_parts
from ._sdk import PluginDefinition
from ._tls import TlsOptions, tls_parts
from ._version import RUNTIME
from ._wasm import ReplacingLink, WasmLimits, WasmParts, wasm_parts

__all__ = ("PluginLoad", "TransportName", "load_library", "load_plugin", "load_ts_plugin")

_PYTHON = "python:"
"""Stands before the name of a module."""

TransportName = Literal["direct", "process", "stdio", "wasm", "ffi", "unix", "tcp", "tls"]


def load_plugin(
    path: str | os.PathLike[str] | FoundPlugin,
    *,
    transport: TransportName | None = None,
    services: Iterable[Implementation] = (),
    grants: Iterable[str] = (),
    expect: Iterable[ServiceDescriptor[Any, Any, Any]] = (),
    limits: Limits | None = None,
    start_timeout: float = 30.0,
    drain_timeout: float = 5.0,
    env: Mapping[str, str] | None = None,
    inherit_env: bool | Iterable[str] = False,
    env_denylist: Iterable[str] = (),
    config: Mapping[str, Any] | None = None,
    on_log: OnLog | None = None,
    python: str | None = None,
    host_name: str | None = None,
    tls: TlsOptions | None = None,
    allow_plaintext: bool = False,
    reconnect: ReconnectOptions | bool = True,
    wasm: WasmLimits | None = None,
    ffi: FfiOptions | None = None,
) -> PluginLoad:
    """Says which plugin to load, and how.

    What is returned loads it: by ``with`` for threads, by ``async with`` for asyncio.

    ``path``: a folder that holds a plugin.json, or that file itself; a WebAssembly module (.wasm), a shared library
    (.so, .dylib, .dll), a module that exports ``plugin``, in JavaScript (.js, .mjs, .cjs) or Python (.py), an
    executable file, or a Python module by its name, as in ``python:my_package.my_module``, which need no plugin.json;
    the address where the plugin is served, such as ``unix:/run/plugin.sock``, ``tcp://127.0.0.1:9000`` or
    ``tls://plugins.example:9000``, with ``#name`` behind it for one of a set, and ``json-rpc+`` before it where the
    plugin speaks JSON-RPC; or what `discover_plugins` found.
    ``transport``: ``direct`` (a plugin in Python, in this process), ``process`` (a child process with descriptors of
    its own), ``stdio`` (a child process on stdin and stdout), ``wasm`` (a WebAssembly module, in this process) or
    ``ffi`` (a shared library, in this process; of a Python module, the library that it is). By default the first
    possible one of the manifest's.
    ``services``: what the plugin may call on the host, each made by `implement`.
    ``grants``: the capabilities that the plugin is granted, of those that its manifest names; of a plugin at an
    address, which has none, all of these.
    ``expect``: services that the plugin must serve, with schemas that fit; others are checked before their first call.
    ``limits``: what this side accepts; what is not set is as the manifest says.
    ``start_timeout``: seconds from the start of the process until calls can be made.
    ``drain_timeout``: seconds that calls in flight have when the plugin is closed.
    ``env``: variables of the process. ``inherit_env``: True for all of this process's, or the names of those to pass on
    beside PATH, HOME, LANG, LC_*, TZ and TMPDIR. ``env_denylist``: variables that are never passed on.
    ``config``: the plugin's configuration, over that of its manifest.
    ``on_log``: takes what the plugin logs and prints. By default the logger ``anyplug.plugin.<name>`` does.
    ``python``: the program for plugins in Python; by default $ANYPLUG_PYTHON, that of $VIRTUAL_ENV, that of the nearest
    .venv above the plugin's folder, or python3.
    ``host_name``: what the plugin sees of this host; by default the name of the program.
    ``tls``: certificates for an address ``tls://``. ``allow_plaintext``: allows an address ``tcp://`` beyond this
    machine, where anybody may read along or answer in the plugin's place.
    ``reconnect``: how a lost link to an address is made again; False: not at all, then the plugin has ended.
    ``wasm``: what a WebAssembly module may take: memory, time, fuel, tables. ``ffi``: where a shared library runs.

    Loading raises AnyplugError: NOT_FOUND when there is no plugin or no program, INVALID_ARGUMENT for a manifest or
    option that is wrong, UNAVAILABLE when the process ends before its hello, DEADLINE_EXCEEDED when the hello does not
    come, FAILED_PRECONDITION when protocol or schemas do not fit, and the plugin's own error when it refuses its
    configuration.
    """
    found = path if isinstance(path, FoundPlugin) else None
    place = path.path if isinstance(path, FoundPlugin) else os.fspath(path)
    if transport == "ffi" and place.startswith(_PYTHON):
        # A plugin in Rust that is a module as well: its file is the library.
        place = find_library(place.removeprefix(_PYTHON)) or place
    return PluginLoad(
        path=place,
        transport=transport,
        implementations=tuple(services),
        grants=tuple(grants),
        expected=tuple(expect),
        own_limits=limits,
        start_timeout=start_timeout,
        drain_timeout=drain_timeout,
        env=dict(env or {}),
        inherit_env=() if isinstance(inherit_env, bool) else tuple(inherit_env),
        inherit_all=inherit_env is True,
        env_denylist=tuple(env_denylist),
        configured=dict(config or {}),
        on_log=on_log,
        python=python or (found.python if found else None),
        host_name=host_name or Path(sys.argv[0] or sys.executable).stem or "python",
        certificates=tls,
        allow_plaintext=allow_plaintext,
        reconnect=(ReconnectOptions() if reconnect else None) if isinstance(reconnect, bool) else reconnect,
        wasm_limits=wasm,
        ffi_options=ffi,
        definition=found.definition if found else None,
    )


class LoadOptions(TypedDict, total=False):
    """The options of `load_plugin`, which explains them."""

    transport: TransportName | None
    services: Iterable[Implementation]
    grants: Iterable[str]
    expect: Iterable[ServiceDescriptor[Any, Any, Any]]
    limits: Limits | None
    start_timeout: float
    drain_timeout: float
    env: Mapping[str, str] | None
    inherit_env: bool | Iterable[str]
    env_denylist: Iterable[str]
    config: Mapping[str, Any] | None
    on_log: OnLog | None
    python: str | None
    host_name: str | None
    tls: TlsOptions | None
    allow_plaintext: bool
    reconnect: ReconnectOptions | bool
    wasm: WasmLimits | None
    ffi: FfiOptions | None


def load_ts_plugin(path: str | os.PathLike[str], **options: Unpack[LoadOptions]) -> PluginLoad:
    """Says which plugin in TypeScript or JavaScript to load, and how.

    ``path``: an npm package by its name, such as ``my-plugin`` or ``@scope/my-plugin``, which is looked for in the
    node_modules of the working folder and of all above it; or a folder, a manifest, a module or an address.

    ``options``: those of `load_plugin`. Loading raises what `load_plugin` does, and AnyplugError (FAILED_PRECONDITION)
    for a plugin in another language.
    """
    place = os.fspath(path)
    is_name = not any(mark in place for mark in "/:") and not os.path.exists(place)
    return replace(load_plugin(f"npm:{place}" if is_name else place, **options), language="typescript")


def load_library(path: str, entry: object, **options: Unpack[LoadOptions]) -> PluginLoad:
    """Says how to load the plugin of a shared library that is a module of this process, without loading it again.

    ``entry``: the library's ``anyplug_plugin``, in a capsule of that name. ``options``: those of `load_plugin`.
    """
    return replace(load_plugin(path, **options), entry=entry)


@dataclass(frozen=True, kw_only=True)
class PluginLoad(Loads[SyncPlugin, Plugin]):
    """A plugin that is to be loaded: ``with`` it, ``async with`` it, `await` it or `open` it, any number of times."""

    path: str
    transport: TransportName | None
    implementations: tuple[Implementation, ...]
    grants: tuple[str, ...]
    expected: tuple[ServiceDescriptor[Any, Any, Any], ...]
    own_limits: Limits | None
    start_timeout: float
    drain_timeout: float
    env: Mapping[str, str]
    inherit_env: tuple[str, ...]
    inherit_all: bool
    env_denylist: tuple[str, ...]
    configured: Mapping[str, Any]
    on_log: OnLog | None
    python: str | None
    host_name: str
    certificates: TlsOptions | None
    allow_plaintext: bool
    reconnect: ReconnectOptions | None
    wasm_limits: WasmLimits | None = None
    ffi_options: FfiOptions | None = None
    entry: object | None = None
    definition: PluginDefinition | None = None
    language: str | None = None

    # --- for threads -----------------------------------------------------------------------------

    def open(self) -> SyncPlugin:
        """Loads the plugin for threads. It has to be closed."""
        if _native.is_address(self.path):
            return self._open_address()
        located = _Located.read(self)
        if located.is_direct:
            return SyncPlugin(self._direct(located), located.manifest, "direct", self.drain_timeout)
        connection = self._connect(located, ThreadRunner())
        connection.start_thread()
        connection.open(self.start_timeout, self.expect)

        def make() -> Connection:
            other = self._connect(located, ThreadRunner(), connection.native)
            other.start_thread()
            return other

        transport = connection.native.transport
        manifest = located.manifest_of(connection)
        return SyncPlugin(self._link(connection, make), manifest, transport, self.drain_timeout)

    # --- for asyncio -----------------------------------------------------------------------------

    async def _open_async(self) -> Plugin:
        if _native.is_address(self.path):
            return await self._open_address_async()
        loop = asyncio.get_running_loop()
        located = await loop.run_in_executor(None, _Located.read, self)
        if located.is_direct:
            return Plugin(self._direct(located), located.manifest, "direct", self.drain_timeout)
        connection = await loop.run_in_executor(None, self._connect, located, LoopRunner(loop))
        connection.join_loop()
        try:
            await loop.run_in_executor(None, connection.open, self.start_timeout, self.expect)
        except asyncio.CancelledError:
            connection.kill("the load was given up")
            raise

        def make() -> Connection:
            other = self._connect(located, LoopRunner(loop), connection.native)
            other.join_loop()
            return other

        transport = connection.native.transport
        manifest = located.manifest_of(connection)
        return Plugin(self._link(connection, make), manifest, transport, self.drain_timeout)

    # --- an address ------------------------------------------------------------------------------

    def _open_address(self) -> SyncPlugin:
        def dial() -> Connection:
            connection = self._connect(None, ThreadRunner())
            connection.start_thread()
            connection.open(self.start_timeout, self.expect)
            return connection

        first = dial()
        link = ReconnectingLink(first, dial, self.reconnect)
        return SyncPlugin(link, manifest_of(first), first.native.transport, self.drain_timeout)

    async def _open_address_async(self) -> Plugin:
        loop = asyncio.get_running_loop()
        begun: list[Connection] = []

        def dial() -> Connection:
            connection = self._connect(None, LoopRunner(loop))
            begun.append(connection)
            loop.call_soon_threadsafe(connection.join_loop)
            connection.open(self.start_timeout, self.expect)
            begun.remove(connection)
            return connection

        try:
            first = await loop.run_in_executor(None, dial)
        except asyncio.CancelledError:
            for connection in begun:
                connection.kill("the load was given up")
            raise
        link = ReconnectingLink(first, dial, self.reconnect)
        return Plugin(link, manifest_of(first), first.native.transport, self.drain_timeout)

    @property
    def tls(self) -> tuple[str, str, str, str | None] | None:
        """The certificates, as the native module takes them."""
        return tls_parts(self.certificates)

    # --- a process -------------------------------------------------------------------------------

    @property
    def expect(self) -> list[ServiceParts]:
        """The services that the plugin must serve, as the native module takes them."""
        return [service_parts(service) for service in self.expected]

    @property
    def known(self) -> list[ServiceParts]:
        """What a plugin that has no schema may be called by, as the native module takes it."""
        services = {service.name: service for service in (*known_services(), *self.expected)}
        return [service_parts(service) for service in services.values()]

    @property
    def services(self) -> list[ServiceParts]:
        """The services of the host, as the native module takes them."""
        return [service_parts(implementation.service) for implementation in self.implementations]

    @property
    def limits(self) -> dict[str, int]:
        """The limits, as the native module takes them."""
        return limit_parts(self.own_limits)

    @property
    def config(self) -> str:
        """The configuration, as the native module takes it."""
        return json.dumps(dict(self.configured))

    @property
    def wasm(self) -> WasmParts:
        """The limits of a WebAssembly module, as the native module takes them."""
        return wasm_parts(self.wasm_limits)

    @property
    def ffi(self) -> FfiParts:
        """Where a shared library runs, as the native module takes it."""
        return ffi_parts(self.ffi_options, self.entry)

    def _link(self, first: Connection, make: Callable[[], Connection]) -> Link:
        """What carries the calls: of a module, ``make`` makes another instance."""
        if first.native.transport != "wasm":
            return first
        return ReplacingLink(first, make, self.wasm_limits.instances if self.wasm_limits else 1)

    def _connect(self, located: _Located | None, runner: Runner, first: _native.Connection | None = None) -> Connection:
        def make(_: list[ServiceParts], handlers: HandlerTable, on_log: Callable[[Any], None]) -> _native.Connection:
            return _native.Connection.load(self, handlers, on_log) if first is None else first.again(handlers, on_log)

        return Connection(make, self.implementations, runner, self._on_log(located))

    def _on_log(self, located: _Located | None) -> OnLog:
        return self.on_log or log_to_logging(located.name if located else self.path.partition("#")[2] or self.path)

    # --- in this process -------------------------------------------------------------------------

    def _direct(self, located: _Located) -> DirectLink:
        definition = self.definition or load_definition(located.folder, located.module or "", located.file)
        config = {**located.manifest.get("config", {}), **self.configured}
        on_log = self._on_log(located)
        granted = tuple(grant for grant in self.grants if located.is_derived or grant in located.capabilities)
        for grant in self.grants:
            if grant not in granted:
                message = f'capability "{grant}" is not granted: capabilities in {located.file} does not name it'
                on_log(LogRecord(LogLevel.WARN, message, "anyplug"))
        try:
            implementations = definition.implementations(config)
        except Exception as error:
            reason = to_error(error)
            message = f'plugin "{located.name}" refused to start: {reason.message}'
            raise AnyplugError(reason.code, message, details=reason.details, metadata=reason.metadata) from error
        most = (self.own_limits and self.own_limits.max_pending_requests) or located.max_pending_requests
        own_most = (definition.limits and definition.limits.max_pending_requests) or most
        host = DirectSide(PeerInfo(self.host_name, "", RUNTIME), self.implementations, granted, None, on_log, most)
        info = PeerInfo(definition.name, definition.version, RUNTIME)
        link = DirectLink(host, DirectSide(info, implementations, None, config, on_log, own_most))
        link.negotiate(self.expected, definition.uses)
        keep_track(link)
        return link


def manifest_of(connection: Connection) -> Mapping[str, Any]:
    """Returns what plugin.json would say, as far as a plugin at an address says it itself."""
    peer = connection.native.peer
    assert peer is not None  # noqa: S101 - it is open
    name, version, runtime, services, _ = peer
    language = runtime.partition(" ")[0]
    return {
        "name": name,
        "version": version,
        "language": language if language in ("typescript", "python", "rust") else "",
        "offers": [service for service, _ in services[1:]],
        "transports": [connection.native.transport],
    }


@dataclass(frozen=True, slots=True)
class _Located:
    """A plugin.json, or what stands for it, and what is decided from it."""

    file: Path
    folder: Path
    name: str
    module: str | None
    capabilities: tuple[str, ...]
    manifest: Mapping[str, Any]
    is_direct: bool
    is_derived: bool

    @property
    def max_pending_requests(self) -> int:
        """What the manifest says, or the default."""
        limits = self.manifest.get("limits") or {}
        return limits.get("maxPendingRequests") or limits.get("max_pending_requests") or 1000

    def manifest_of(self, connection: Connection) -> Mapping[str, Any]:
        """Returns the manifest, with what only a library knows where there is no plugin.json."""
        if not self.is_derived or connection.native.transport != "ffi":
            return self.manifest
        return manifest_of(connection)

    @classmethod
    def read(cls, load: PluginLoad) -> _Located:
        if load.definition is not None:
            return cls._linked(load, load.definition)
        located = _native.locate_plugin(Path(load.path))
        file, folder, name, version, language, module, transports, capabilities, is_derived = located
        if load.language not in (None, language):
            what = f'expected a plugin in {load.language}, and its language is "{language}"'
            raise AnyplugError(Code.FAILED_PRECONDITION, f"{file}: {what}; load it by load_plugin")
        manifest: dict[str, Any]
        if is_derived:
            manifest = {"name": name, "version": version, "language": language, "transports": list(transports or ())}
        else:
            manifest = json.loads(Path(file).read_text(encoding="utf-8"))
        if (manifest.get("interop") or {}).get("protocol") == "json-rpc":
            return cls(Path(file), Path(folder), name, module, capabilities, manifest, False, is_derived)
        is_possible = language == "python" and module is not None
        if load.transport == "direct" and not is_possible:
            missing = f"its language is {language}" if language != "python" else "interop.module is missing"
            raise AnyplugError(
                Code.FAILED_PRECONDITION,
                f'{file}: {missing}, and transport "direct" needs a module in Python; load it with transport "process"',
            )
        if load.transport not in (None, "direct", "process", "stdio", "wasm", "ffi"):
            raise AnyplugError(
                Code.INVALID_ARGUMENT,
                f'transport: expected one of direct, process, stdio, wasm, ffi, got "{load.transport}"',
            )
        names = transports or ("direct", "process")
        possible = [transport for transport in names if transport != "direct" or is_possible]
        is_direct = load.transport == "direct" or (load.transport is None and possible[:1] == ["direct"])
        return cls(Path(file), Path(folder), name, module, capabilities, manifest, is_direct, is_derived)

    @classmethod
    def _linked(cls, load: PluginLoad, definition: PluginDefinition) -> _Located:
        if load.transport not in (None, "direct"):
            message = f'plugin "{definition.name}" is in this program, and transport "{load.transport}" is for others'
            raise AnyplugError(Code.FAILED_PRECONDITION, message)
        name, version = definition.name, definition.version
        manifest = {"name": name, "version": version, "language": "python", "transports": ["direct"]}
        return cls(Path(f"builtin:{name}"), Path.cwd(), name, None, (), manifest, True, True)
