"""Serves a plugin over the channel that its surroundings name."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Never

from . import _native
from ._code import Code
from ._connection import Connection
from ._error import AnyplugError, to_error
from ._handler import Implementation
from ._lifetime import leave_now
from ._limits import limit_parts
from ._log import LogRecord, set_host
from ._router import HandlerTable
from ._runner import LoopRunner, ThreadRunner
from ._schema import ServiceParts, service_parts
from ._sdk import PluginDefinition
from ._version import RUNTIME

__all__ = ("serve",)

_NOT_LOADED = 64
"""The status of a program that was not started by a host: "command line usage error"."""

_FINISH_GRACE = 0.5
"""Seconds that handlers have which were cancelled because the channel ended."""


def serve(plugin: PluginDefinition) -> None:
    """Serves a plugin until its host closes the channel.

    It finds out by its surroundings how it is reached. Started by hand, it explains itself on stderr and exits with 64.
    Asynchronous handlers run on an event loop in this thread; a plugin whose handlers are all synchronous needs none,
    and its calls run in this thread one after the other, but for those that take long, beside which others begin.

    Raises SystemExit when the plugin refuses to start.
    """
    try:
        channel = _native.Channel.of_host()
        if channel is None:
            _explain(plugin)
        config = _config()
    except AnyplugError as error:
        sys.exit(f"{plugin.name}: {error}")
    _Server(plugin, channel, config).run()


def _explain(plugin: PluginDefinition) -> Never:
    print(
        f"{plugin.name} {plugin.version} is an anyplug plugin: it answers a host program, not a person. Nothing is to"
        " be done here; load it from a host by its folder, with load_plugin in Python and Rust or loadPlugin in"
        " TypeScript. (A host names the channel in ANYPLUG_CHANNEL, which is not set.)",
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
            sys.exit(f"{self.plugin.name}: {reason}")
        if any(implementation.is_async for implementation in implementations):
            if not self.run_loop(implementations):
                leave_now(0)
        else:
            connection = self.connect(implementations, ThreadRunner())
            connection.work(spins=True, is_main=True)
            if not connection.join_workers(_FINISH_GRACE):
                leave_now(0)

    def run_loop(self, implementations: tuple[Implementation, ...]) -> bool:
        """Serves on an event loop. Returns whether nothing of the plugin runs any more."""
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        threads = ThreadPoolExecutor(thread_name_prefix="anyplug-plugin")
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
        plugin = self.plugin

        def make(
            services: list[ServiceParts], handlers: HandlerTable, on_log: Callable[[Any], None]
        ) -> _native.Connection:
            return _native.Connection(
                self.channel,
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
            )

        connection = Connection(make, implementations, runner, _print_record, config=self.config, is_plugin=True)
        set_host(connection.log)
        return connection


def _shut_down(runner: LoopRunner, threads: ThreadPoolExecutor) -> None:
    runner.close()
    threads.shutdown(cancel_futures=True)


def _print_record(record: LogRecord) -> None:
    """A record of the host's, or of the connection itself: for the plugin's own log, which its host captures."""
    fields = "".join(f" {name}={value!r}" for name, value in record.fields.items())
    print(f"{record.level.name} {record.message}{fields}", file=sys.stderr)
