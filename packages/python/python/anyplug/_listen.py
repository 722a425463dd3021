"""Serves plugins on a socket, to many hosts at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import _native
from ._closing import Closes
from ._code import Code
from ._connection import Connection
from ._error import AnyplugError, to_error
from ._handler import Implementation
from ._lifetime import end_program
from ._limits import limit_parts
from ._log import LogLevel, LogRecord, print_record
from ._router import HandlerTable
from ._runner import LoopRunner, ThreadRunner
from ._schema import ServiceParts, service_parts
from ._sdk import PluginDefinition
from ._tls import TlsOptions, tls_parts
from ._version import RUNTIME

__all__ = ("PluginServer", "listen", "only_one")

_FINISH_GRACE = 0.5
"""Seconds that handlers have which were cancelled because their host went."""


def listen(
    plugins: PluginDefinition | Iterable[PluginDefinition],
    address: str,
    *,
    tls: TlsOptions | None = None,
    allow_plaintext: bool = False,
    config: Mapping[str, Any] | None = None,
    max_connections: int = 1000,
    hello_timeout: float = 30.0,
    drain_timeout: float = 5.0,
) -> PluginServer:
    """Serves plugins on a socket until the server is closed.

    A host of a set says which plugin it wants behind the address: ``unix:/run/x.sock#name``. Each host has a connection
    and a thread of its own, and services of its own where the plugin's are made by a function; otherwise all hosts
    share them. Asynchronous handlers of all hosts run on one event loop in the background.

    ``address``: ``unix:/run/x.sock``, ``tcp://127.0.0.1:9000`` (port 0: one that is free) or ``tls://0.0.0.0:9000``;
    with ``json-rpc+`` before it for peers that speak JSON-RPC.
    ``tls``: certificates for ``tls://``; a host has to show one of the same authority.
    ``allow_plaintext``: allows ``tcp://`` beyond this machine, where anybody may read along and connect.
    ``config``: members of the configuration that a host cannot change.
    ``max_connections``: hosts at once; one more is turned away with RESOURCE_EXHAUSTED.
    ``hello_timeout``: seconds that a host may take to say hello.
    ``drain_timeout``: seconds that calls in flight have when the server is closed.

    Raises AnyplugError: INVALID_ARGUMENT for a wrong address, option or set, ALREADY_EXISTS when the address is taken,
    FAILED_PRECONDITION for plaintext beyond this machine; PERMISSION_DENIED, NOT_FOUND or UNAVAILABLE when the system
    refuses.
    """
    return PluginServer(
        plugins,
        _native.Listener(address, tls_parts(tls), allow_plaintext),
        config=dict(config or {}),
        max_connections=max_connections,
        hello_timeout=hello_timeout,
        drain_timeout=drain_timeout,
    )


class PluginServer(Closes):
    """A server of plugins. `listen` makes one; ``with`` closes it."""

    def __init__(
        self,
        plugins: PluginDefinition | Iterable[PluginDefinition],
        listener: _native.Listener,
        *,
        config: Mapping[str, Any],
        max_connections: int,
        hello_timeout: float,
        drain_timeout: float,
    ) -> None:
        every = (plugins,) if isinstance(plugins, PluginDefinition) else tuple(plugins)
        self._plugins = {plugin.name: plugin for plugin in every}
        self._listener = listener
        self._config = config
        self._max_connections = max_connections
        self._hello_timeout = hello_timeout
        self._drain_timeout = drain_timeout
        self._lock = threading.Lock()
        self._closing = False
        self._hosts: dict[threading.Thread, Connection | None] = {}
        if listener.address.startswith("json-rpc+") and len(every) > 1:
            listener.close()
            raise only_one(len(every))
        if not every or len(self._plugins) < len(every):
            listener.close()
            names = ", ".join(plugin.name for plugin in every) or "none"
            message = f"plugins: expected at least one, each with a name of its own; got {names}"
            raise AnyplugError(Code.INVALID_ARGUMENT, message)
        threading.Thread(target=self._accept, name="anyplug-listen", daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens, with the port that the system chose: what `load_plugin` takes."""
        return self._listener.address

    @property
    def connections(self) -> int:
        """How many hosts are connected."""
        with self._lock:
            return len(self._hosts)

    def close(self) -> None:
        """Listens no longer, lets calls in flight end, and closes the connections. Closing it again waits as well."""
        self._listener.close()
        with self._lock:
            self._closing = True
            hosts = dict(self._hosts)
        closing = [
            threading.Thread(target=connection.close, args=(self._drain_timeout,))
            for connection in hosts.values()
            if connection is not None
        ]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()

    # --- hosts -----------------------------------------------------------------------------------

    def _accept(self) -> None:
        while (host := self._listener.accept()) is not None:
            thread = threading.Thread(target=self._serve, args=(host,), name="anyplug-host", daemon=True)
            with self._lock:
                self._hosts[thread] = None
                count = len(self._hosts)
            # A host that is one too many is told so; where many are, there is no time for that.
            if count > 2 * self._max_connections:
                with self._lock:
                    del self._hosts[thread]
            else:
                thread.start()

    def _serve(self, host: _native.Incoming) -> None:
        try:
            self._serve_host(host)
        except SystemExit as end:
            # As in a process of its own: a handler that calls sys.exit ends the program.
            end_program(end)
        except Exception as error:
            _report(to_error(error))
        finally:
            with self._lock:
                del self._hosts[threading.current_thread()]

    def _serve_host(self, host: _native.Incoming) -> None:
        channel, heard, hello, refusal = host.hear(self._hello_timeout)
        plugin = next(iter(self._plugins.values()))
        implementations: tuple[Implementation, ...] = ()
        config: Mapping[str, Any] = {}
        try:
            self._check_count()
            if refusal is None and hello is not None:
                plugin = self._find(hello[0])
                config = {**_config_of(hello[1]), **self._config}
                implementations = plugin.implementations(config)
        except Exception as error:
            refusal = to_error(error)
        connection = connect_plugin(
            plugin, channel, implementations, ThreadRunner(), config, heard if refusal is None else None
        )
        if refusal is not None:
            # Nothing of what the host said is handled: hello and refusal go out in one piece.
            connection.native.fail(refusal)
            _report(refusal)
            connection.work(spins=False, is_main=False)
            return
        with self._lock:
            closing = self._closing
            self._hosts[threading.current_thread()] = connection
        if closing:
            connection.kill("the plugin's server was closed")
        connection.work(spins=True, is_main=False)
        connection.join_workers(_FINISH_GRACE)

    def _check_count(self) -> None:
        if self.connections > self._max_connections:
            message = f"{self._max_connections} hosts are connected already, and no more may be"
            raise AnyplugError(Code.RESOURCE_EXHAUSTED, message)

    def _find(self, name: str) -> PluginDefinition:
        if not name and len(self._plugins) == 1:
            return next(iter(self._plugins.values()))
        found = self._plugins.get(name)
        names = ", ".join(self._plugins)
        if found is not None:
            return found
        if name:
            raise AnyplugError(Code.NOT_FOUND, f'there is no plugin "{name}" at this address; it has {names}')
        message = f"this address has {len(self._plugins)} plugins ({names}): name one behind it, as in"
        raise AnyplugError(Code.INVALID_ARGUMENT, f"{message} unix:/run/plugins.sock#name")


def connect_plugin(
    plugin: PluginDefinition,
    channel: _native.Channel,
    implementations: tuple[Implementation, ...],
    runner: ThreadRunner | LoopRunner,
    config: Mapping[str, Any],
    heard: bytes | None = None,
) -> Connection:
    """Returns a plugin's end of a channel; `heard` is what was read of it already."""

    def make(services: list[ServiceParts], handlers: HandlerTable, on_log: Callable[[Any], None]) -> _native.Connection:
        return _native.Connection(
            channel,
            role="plugin",
            name=plugin.name,
            version=plugin.version,
            runtime=RUNTIME,
            services=services,
            uses=[service_parts(service) for service in plugin.uses],
            grants=None,
            config="",
            limits=limit_parts(plugin.limits),
            handlers=handlers,
            on_log=on_log,
            heard=heard,
        )

    return Connection(make, implementations, runner, print_record, config=config, is_plugin=True)


def _config_of(text: str) -> Mapping[str, Any]:
    if not text:
        return {}
    try:
        config = json.loads(text)
    except ValueError as error:
        message = f"the configuration in the host's hello is not JSON: {error}"
        raise AnyplugError(Code.INVALID_ARGUMENT, message) from error
    if not isinstance(config, dict):
        raise AnyplugError(Code.INVALID_ARGUMENT, "the configuration in the host's hello is not a JSON object")
    return config


def _report(reason: AnyplugError) -> None:
    print_record(LogRecord(LogLevel.WARN, f"a host was turned away: {reason}", "", 0, {}))


def only_one(count: int) -> AnyplugError:
    """Returns that a client which speaks JSON-RPC cannot say which plugin it wants."""
    message = f"JSON-RPC is spoken with one plugin at an address, and there are {count}; give each its own"
    return AnyplugError(Code.INVALID_ARGUMENT, message)
