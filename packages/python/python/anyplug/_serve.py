"""Serves a plugin over the channel that its surroundings name."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Never

from . import _native
from ._code import Code
from ._connection import Connection
from ._error import AnyplugError, to_error
from ._handler import Implementation
from ._lazy import asyncio, futures
from ._lifetime import leave_now
from ._listen import PluginServer, connect_plugin, only_one
from ._listen import listen as _listen
from ._log import set_host
from ._runner import LoopRunner, ThreadRunner
from ._sdk import PluginDefinition
from ._tls import TlsOptions

__all__ = ("serve",)

_NOT_LOADED = 64
"""The status of a program that was not started by a host: "command line usage error"."""

_FINISH_GRACE = 0.5
"""Seconds that handlers have which were cancelled because the channel ended."""


def serve(
    plugins: PluginDefinition | Iterable[PluginDefinition],
    *,
    listen: str | None = None,
    tls: TlsOptions | None = None,
    allow_plaintext: bool = False,
    config: Mapping[str, Any] | None = None,
    max_connections: int = 1000,
    hello_timeout: float = 30.0,
    drain_timeout: float = 5.0,
) -> None:
    """Serves a plugin, or a set of plugins at one address.

    It finds out by its surroundings how it is reached. Started by a host, it serves that host until the channel is
    closed. Otherwise it listens at the address in ``listen`` or in ANYPLUG_LISTEN, as `anyplug.listen` does, until
    SIGTERM or SIGINT. At ``json-rpc+stdio:`` it speaks JSON-RPC on its standard streams until stdin ends. With neither,
    it explains itself on stderr and exits with 64.
    Asynchronous handlers run on an event loop in this thread; a plugin whose handlers are all synchronous needs none,
    and its calls run in this thread one after the other, but for those that take long, beside which others begin.

    Raises SystemExit when the plugin refuses to start.
    """
    every = (plugins,) if isinstance(plugins, PluginDefinition) else tuple(plugins)
    who = ", ".join(f"{plugin.name} {plugin.version}" for plugin in every)
    try:
        channel = _native.Channel.of_host()
        if channel is not None:
            only, own = _only(every), _config()
        else:
            address = listen or os.environ.get("ANYPLUG_LISTEN")
            if not address:
                _explain(who)
            if address == "json-rpc+stdio:":
                if len(every) != 1:
                    raise only_one(len(every))
                own = _config() if config is None else config
                os.environ.pop("ANYPLUG_LISTEN", None)
                _Server(every[0], _native.Channel.of_json_rpc(), own).run()
                return
            server = _listen(
                every,
                address,
                tls=tls or _tls(),
                allow_plaintext=allow_plaintext or os.environ.get("ANYPLUG_ALLOW_PLAINTEXT") == "1",
                config=_config() if config is None else config,
                max_connections=max_connections,
                hello_timeout=hello_timeout,
                drain_timeout=drain_timeout,
            )
    except AnyplugError as error:
        sys.exit(f"{', '.join(plugin.name for plugin in every)}: {error}")
    if channel is None:
        _serve_until_signal(server, who)
    else:
        _Server(only, channel, own).run()


def _only(plugins: tuple[PluginDefinition, ...]) -> PluginDefinition:
    if len(plugins) == 1:
        return plugins[0]
    message = f"a process serves one plugin to the host that started it, and this one has {len(plugins)}"
    raise AnyplugError(Code.FAILED_PRECONDITION, f"{message}; serve them at an address")


def _serve_until_signal(server: PluginServer, who: str) -> Never:
    is_main = threading.current_thread() is threading.main_thread()
    # Only the main thread is told of signals.
    wait = _signals() if is_main else threading.Event().wait
    print(f"{who} at {server.address}", flush=True)
    wait()
    server.close()
    # Handlers that do not end must not keep the process alive.
    leave_now(0)


def _signals() -> Callable[[], object]:
    """Takes the signals that ask for an end, and returns what waits for one."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())

    def wait() -> None:
        # A signal may come to any thread, and then nothing wakes a lock that this one waits for: a byte does.
        awake, wake = socket.socketpair()
        wake.setblocking(False)
        with awake, wake:
            signal.set_wakeup_fd(wake.fileno())
            while not asked.is_set():
                awake.recv(64)
            signal.set_wakeup_fd(-1)

    return wait


def _tls() -> TlsOptions | None:
    names = ("ANYPLUG_TLS_CERTIFICATE", "ANYPLUG_TLS_KEY", "ANYPLUG_TLS_CA")
    certificate, key, ca = (os.environ.get(name) for name in names)
    return TlsOptions(certificate=certificate, key=key, ca=ca) if certificate and key and ca else None


def _explain(who: str) -> Never:
    print(
        f"{who} is an anyplug plugin: it answers a host program, not a person. Nothing is to be done here; load it from"
        " a host by its folder, with load_plugin in Python and Rust or loadPlugin in TypeScript; or set ANYPLUG_LISTEN"
        " to an address, such as unix:/run/plugin.sock, to serve it there. (A host names the channel in"
        " ANYPLUG_CHANNEL, which is not set.)",
        file=sys.stderr,
    )
    sys.exit(_NOT_LOADED)


def _config() -> Mapping[str, Any]:
    text = os.environ.get("ANYPLUG_CONFIG", "{}")
    try:
        config = json.loads(text)
    except ValueError as error:
        raise AnyplugError(Code.INVALID_ARGUMENT, f"ANYPLUG_CONFIG is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise AnyplugError(Code.INVALID_ARGUMENT, "ANYPLUG_CONFIG is not a JSON object")
    return config


class _Server:
    def __init__(self, plugin: PluginDefinition, channel: _native.Channel, config: Mapping[str, Any]) -> None:
        self.plugin = plugin
        self.channel = channel
        self.config = config

    def run(self) -> None:
        """Serves until the end. Handlers that do not end then must not keep the process alive."""
        try:
            implementations = self.plugin.implementations(self.config)
        except Exception as error:
            # The host is told why over the channel, where it sees the code as well.
            reason = to_error(error)
            self.connect((), ThreadRunner()).native.fail(reason)
            self.channel.finish()
            sys.exit(f"{self.plugin.name}: {reason}")
        if any(implementation.is_async for implementation in implementations):
            is_over = self.run_loop(implementations)
            self.channel.finish()
            if not is_over:
                leave_now(0)
        else:
            connection = self.connect(implementations, ThreadRunner())
            connection.work(spins=True, is_main=True)
            self.channel.finish()
            if not connection.join_workers(_FINISH_GRACE):
                leave_now(0)

    def run_loop(self, implementations: tuple[Implementation, ...]) -> bool:
        """Serves on an event loop. Returns whether nothing of the plugin runs any more."""
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        threads = futures.ThreadPoolExecutor(thread_name_prefix="anyplug-plugin")
        loop.set_default_executor(threads)
        runner = LoopRunner(loop, eager=self.plugin.eager, ends_program=True)
        loop.run_until_complete(self.serve_in_loop(implementations, runner))
        # The handlers were cancelled with their calls; what they do about it may take a moment.
        others = asyncio.all_tasks(loop)
        if others:
            loop.run_until_complete(asyncio.wait(others, timeout=_FINISH_GRACE))
        loop.run_until_complete(loop.shutdown_asyncgens())
        ending = threading.Thread(target=_shut_down, args=(runner, threads), daemon=True)
        ending.start()
        ending.join(_FINISH_GRACE)
        return all(task.done() for task in others) and not ending.is_alive()

    async def serve_in_loop(self, implementations: tuple[Implementation, ...], runner: LoopRunner) -> None:
        ended = asyncio.Event()
        connection = self.connect(implementations, runner)
        connection.on_ended(ended.set)
        connection.join_loop()
        await ended.wait()

    def connect(self, implementations: tuple[Implementation, ...], runner: ThreadRunner | LoopRunner) -> Connection:
        connection = connect_plugin(self.plugin, self.channel, implementations, runner, self.config)
        set_host(connection.log)
        return connection


def _shut_down(runner: LoopRunner, threads: futures.ThreadPoolExecutor) -> None:
    runner.close()
    threads.shutdown(cancel_futures=True)
