"""Loads a plugin that is a shared library with ElizaOS's C ABI, and connects it to an agent."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from .. import _native
from .._code import Code
from .._error import AnyplugError
from ..agent import AgentPluginDefinition, AgentRuntime, Json, JsonObject, LocalPeer, local_peer
from ._drive import driven_plugin
from ._functions import Returned, function_answer, function_of, manifest_in, without_function

__all__ = ("LibraryPlugin", "load_library_plugin", "load_rust_plugin")

_MANIFEST = "elizaos_get_manifest"
_END_TIMEOUT = 5.0
"""Seconds that the end of calls is waited for that run when the library is closed."""


class LibraryPlugin:
    """A loaded plugin: register it with an agent. It has to be closed, or is by ``async with``."""

    def __init__(self, library: _native.ElizaosLibrary, thread: ThreadPoolExecutor, manifest: JsonObject) -> None:
        """Made by `load_library_plugin`."""
        self._library = library
        self._thread = thread
        self._over: Future[None] | None = None
        self._name = str(manifest["name"])
        self._closed: list[asyncio.Future[AnyplugError]] = []
        self.definition: AgentPluginDefinition = driven_plugin(manifest, self._ask, "methods")

    @staticmethod
    def open(path: str | os.PathLike[str]) -> LibraryPlugin:
        """Loads it, and waits for that; `load_library_plugin` explains it."""
        library = _native.ElizaosLibrary.open(path)
        # Nobody says that a library takes more than one call at a time.
        thread = ThreadPoolExecutor(1, "anyplug-library")
        try:
            returned: Returned = thread.submit(library.call, _MANIFEST, []).result()
            return LibraryPlugin(library, thread, manifest_in(_MANIFEST, returned))
        except BaseException as error:
            thread.shutdown()
            library.close()
            if isinstance(error, AnyplugError):
                message = f"{library.file}: {error.message}"
                raise AnyplugError(Code.FAILED_PRECONDITION, message) from error
            raise

    def for_agent(self, agent: AgentRuntime) -> LocalPeer:
        """Returns the plugin as an agent registers it."""
        own = local_peer(self.definition, name=agent.name, services=agent.services)
        return _Registered(own, self)

    async def wait_closed(self) -> AnyplugError:
        """Waits until it was closed, and returns the reason."""
        if self._over is not None:
            return self._was_closed()
        closed: asyncio.Future[AnyplugError] = asyncio.get_running_loop().create_future()
        self._closed.append(closed)
        return await closed

    async def close(self) -> None:
        """Ends it: calls that were made may end, for 5 s; then the library is unloaded, as soon as none is within it.

        Calls afterwards fail with UNAVAILABLE.
        """
        if self._over is None:
            end = ThreadPoolExecutor(1, "anyplug-unload")
            self._over = end.submit(self._end)
            end.shutdown(wait=False)
        await asyncio.wait([asyncio.wrap_future(self._over)], timeout=_END_TIMEOUT)
        for closed in self._closed:
            if not closed.done():
                closed.set_result(self._was_closed())

    async def __aenter__(self) -> LibraryPlugin:
        """Returns itself; leaving the block closes it."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes it."""
        await self.close()

    async def _ask(self, type: str, members: JsonObject) -> dict[str, Json]:  # noqa: A002 - as in the protocol
        name, texts = function_of(type, members)
        if self._over is not None:
            raise self._was_closed()
        answer = None if self._library.exports(name) else without_function(type, members)
        if answer is not None:
            return answer
        try:
            loop = asyncio.get_running_loop()
            return function_answer(type, await loop.run_in_executor(self._thread, self._library.call, name, texts))
        except AnyplugError as error:
            raise AnyplugError(error.code, f'plugin "{self._name}": {error.message}') from error

    def _end(self) -> None:
        self._thread.shutdown()
        self._library.close()

    def _was_closed(self) -> AnyplugError:
        return AnyplugError(Code.UNAVAILABLE, f'plugin "{self._name}" was closed')


class _Registered(LocalPeer):
    def __init__(self, own: LocalPeer, plugin: LibraryPlugin) -> None:
        super().__init__(own._link)
        self._plugin = plugin

    async def wait_closed(self) -> AnyplugError:
        """Waits until the plugin was closed, and returns the reason."""
        return await self._plugin.wait_closed()


@contextlib.asynccontextmanager
async def load_library_plugin(path: str | os.PathLike[str]) -> AsyncIterator[LibraryPlugin]:
    """Loads a plugin that is a shared library with ElizaOS's C ABI; leaving the block closes it.

    ``path``: a folder with a plugin.json whose ``interop.sharedLibPath`` names it, that file, or the library itself.
    It runs in this process, which it can do what it likes with. Its functions are called one at a time, in a thread of
    its own and without the GIL; a call that does not return keeps those behind it waiting, and cannot be ended.

    Raises AnyplugError: NOT_FOUND when there is no such file, INVALID_ARGUMENT for a manifest that is wrong or a file
    that is no library, FAILED_PRECONDITION for a manifest that names no library, and for a library that is for another
    machine, has no such ABI or answers no manifest.
    """
    plugin = await asyncio.get_running_loop().run_in_executor(None, LibraryPlugin.open, path)
    async with plugin:
        yield plugin


def load_rust_plugin(path: str | os.PathLike[str]) -> LibraryPlugin:
    """Loads a plugin as `load_library_plugin` does, and waits for that. It has to be closed.

    ::

        plugin = load_rust_plugin("./my_rust_plugin.so")
        await agent.register_plugin(plugin.for_agent(agent))
    """
    return LibraryPlugin.open(path)
