"""One cell of the matrix: a plugin in some language over some transport, as this host sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from anyplug import AnyplugError, Code, LogRecord, Plugin, PluginLoad, implement, load_plugin
from anyplug_generated.anyplug.test.v1.test_anyplug import Host, Secret, Test, TestClient

from .host import TestHost
from .served import Served, certificates_of

__all__ = ("Behaviour", "Cell", "Language", "Logs", "Transport", "fails", "failure")

Language = Literal["typescript", "python", "rust", "c", "go"]
Transport = Literal["direct", "process", "stdio", "wasm", "ffi", "unix", "tcp", "tls"]

_PLUGINS = Path(__file__).resolve().parents[4] / "plugins" / "test-plugin"
_FOLDERS: dict[Language, str] = {"typescript": "ts", "python": "python", "rust": "rust", "c": "c", "go": "go"}
_TOO_LONG = 300.0
"""Seconds, and only for a behaviour that hangs."""
_START_TIMEOUT = 120.0
"""Seconds: a machine may be slow, and no behaviour is about how long a start takes."""


class Logs:
    """What a plugin logged and printed, from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._records: list[LogRecord] = []
        self._more = asyncio.Event()

    def take(self, record: LogRecord) -> None:
        self._loop.call_soon_threadsafe(self._add, record)

    def _add(self, record: LogRecord) -> None:
        self._records.append(record)
        self._more.set()

    async def find(self, message: str) -> LogRecord:
        """Waits for a record with this message."""
        while True:
            for record in self._records:
                if record.message == message:
                    return record
            self._more.clear()
            await self._more.wait()


class Cell:
    """A plugin that most behaviours share. It is loaded with the host's services, and without any grant."""

    def __init__(self, language: Language, transport: Transport) -> None:
        self.language = language
        self.transport = transport
        self.name = f"{language}-{transport}"
        self.host = TestHost()
        self._runner = asyncio.Runner()
        self.logs = Logs(self._runner.get_loop())
        self._shared: Plugin | None = None
        self._served: Served | None = None

    def run(self, behaviour: Coroutine[Any, Any, None]) -> None:
        """Runs in the loop in which the shared plugin lives."""
        self._runner.run(asyncio.wait_for(behaviour, _TOO_LONG))

    def load(self, **options: Any) -> PluginLoad:  # noqa: ANN401 - those of load_plugin
        """A plugin of the caller's own."""
        folder = _PLUGINS / _FOLDERS[self.language]
        if self.transport in ("unix", "tcp", "tls") and self._served is None:
            self._served = Served(folder, self.transport)
        place = self._served.address if self._served else folder
        if self.transport == "tls":
            options["tls"] = certificates_of("host")
        options.setdefault("start_timeout", _START_TIMEOUT)
        return load_plugin(place, transport=self.transport, host_name="matrix", **options)

    def load_with_services(self, **options: Any) -> PluginLoad:  # noqa: ANN401 - those of load_plugin
        """A plugin of the caller's own, to which the host offers its services."""
        return self.load(services=[implement(Host, self.host), implement(Secret, self.host.secret)], **options)

    async def plugin(self) -> Plugin:
        """The plugin that behaviours share which leave it as it was."""
        if self._shared is None:
            self._shared = await self.load_with_services(on_log=self.logs.take)
        return self._shared

    async def client(self) -> TestClient:
        return (await self.plugin()).client(Test)

    def close(self) -> None:
        if self._shared is not None:
            self._runner.run(self._shared.close())
        self._runner.close()
        if self._served is not None:
            self._served.stop()


Behaviour = Callable[[Cell], Coroutine[Any, Any, None]]


@contextmanager
def fails(code: Code, *texts: str) -> Iterator[None]:
    """Expects that the block fails with this code, and a message in which each of the texts occurs."""
    with pytest.raises(AnyplugError) as caught:
        yield
    assert caught.value.code is code, repr(caught.value)
    for text in texts:
        assert text in caught.value.message


async def failure(call: Awaitable[object], code: Code, *texts: str) -> None:
    """Expects that a call fails, as `fails`."""
    with fails(code, *texts):
        await call
