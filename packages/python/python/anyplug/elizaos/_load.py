"""Loads a plugin that speaks ElizaOS's line protocol: starts it, and connects it to an agent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from .._code import Code
from .._error import AnyplugError
from .._log import LogLevel, LogRecord, OnLog
from ..agent import AgentPluginDefinition, AgentRuntime, LocalPeer, local_peer
from ._drive import Dialect
from ._peer import MAX_MESSAGE_BYTES, LinePeer

__all__ = ("LinePlugin", "load_line_plugin")

_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")
_NEVER_PASSED_ON = ("ANYPLUG_CHANNEL", "ANYPLUG_CONFIG")
_LAST_LINES = 20
_PATIENCE = 5.0
"""Seconds that a process has to end by itself, and again once it was asked to."""


class LinePlugin:
    """A loaded plugin: register it with an agent."""

    def __init__(self, definition: AgentPluginDefinition, peer: LinePeer, process: _Process) -> None:
        self.definition = definition
        self.peer = peer
        self._process = process

    def for_agent(self, agent: AgentRuntime) -> LocalPeer:
        """Returns the plugin as an agent registers it."""
        own = local_peer(self.definition, name=agent.name, services=agent.services)
        return _Registered(own, self)

    async def wait_closed(self) -> AnyplugError:
        """Waits until its process has ended, and returns the reason."""
        return await asyncio.shield(self._process.closed)

    async def close(self) -> None:
        """Ends the process: it is given time to end by itself when its input ends."""
        await self._process.stop()


class _Registered(LocalPeer):
    def __init__(self, own: LocalPeer, plugin: LinePlugin) -> None:
        super().__init__(own._link)
        self._plugin = plugin

    async def wait_closed(self) -> AnyplugError:
        """Waits until the plugin's process has ended, and returns the reason."""
        return await self._plugin.wait_closed()


@contextlib.asynccontextmanager
async def load_line_plugin(
    command: Sequence[str],
    *,
    cwd: str | os.PathLike[str] | None = None,
    dialect: Dialect = "messages",
    start_timeout: float = 30.0,
    max_pending_requests: int = 1000,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
    env: Mapping[str, str] | None = None,
    inherit_env: bool | Iterable[str] = False,
    env_denylist: Iterable[str] = (),
    on_log: OnLog | None = None,
) -> AsyncIterator[LinePlugin]:
    """Starts a plugin that speaks ElizaOS's line protocol on its standard streams; leaving the block ends it.

    ``command``: the program and its arguments. ``start_timeout``: seconds until it must have said what it is.
    ``max_message_bytes``: what a line may have. ``env``, ``inherit_env``, ``env_denylist``: as for `load_plugin`.

    Raises AnyplugError: NOT_FOUND when there is no such program, UNAVAILABLE at once when it ends before it is ready,
    DEADLINE_EXCEEDED when it is not in time.
    """
    name = " ".join(command)
    environment = _environment(env or {}, inherit_env, frozenset(env_denylist))
    process = await _Process.start(name, command, cwd, environment, on_log)
    peer = LinePeer(
        write=process.write,
        on_failure=process.fail,
        dialect=dialect,
        max_pending_requests=max_pending_requests,
        max_message_bytes=max_message_bytes,
        on_log=on_log,
    )
    process.run(peer)
    try:
        try:
            async with asyncio.timeout(start_timeout):
                definition = await peer.plugin()
        except TimeoutError:
            late = f'plugin "{name}" was not ready within {round(start_timeout * 1000)} ms'
            raise AnyplugError(Code.DEADLINE_EXCEEDED, late) from None
        plugin = LinePlugin(definition, peer, process)
    except BaseException:
        process.kill()
        await process.closed
        raise
    try:
        yield plugin
    finally:
        await plugin.close()


class _Process:
    """The process of a plugin, and what moves its bytes."""

    def __init__(self, name: str, child: asyncio.subprocess.Process, on_log: OnLog | None) -> None:
        self._name = name
        self._child = child
        self._on_log = on_log
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._failure: AnyplugError | None = None
        self._task: asyncio.Task[None] | None = None
        self.closed: asyncio.Future[AnyplugError] = asyncio.get_running_loop().create_future()

    @staticmethod
    async def start(
        name: str,
        command: Sequence[str],
        cwd: str | os.PathLike[str] | None,
        environment: Mapping[str, str],
        on_log: OnLog | None,
    ) -> _Process:
        pipe = asyncio.subprocess.PIPE
        try:
            child = await asyncio.create_subprocess_exec(
                *command, cwd=cwd, env=environment, stdin=pipe, stdout=pipe, stderr=pipe
            )
        except (FileNotFoundError, PermissionError) as error:
            raise AnyplugError(Code.NOT_FOUND, f'plugin "{name}" cannot be started: {error}') from error
        return _Process(name, child, on_log)

    def run(self, peer: LinePeer) -> None:
        """Moves bytes from now on."""
        self._task = asyncio.get_running_loop().create_task(self._run(peer))

    async def _run(self, peer: LinePeer) -> None:
        await asyncio.gather(self._read(peer), self._read_errors())
        status = await self._child.wait()
        how = f"exited with status {status}" if status >= 0 else f"was ended by signal {-status}"
        lines = "".join(f"\n{line}" for line in self._last_lines)
        reason = self._failure or AnyplugError(Code.UNAVAILABLE, f'plugin "{self._name}" {how}{lines}')
        peer.ended(reason)
        self.closed.set_result(reason)

    async def _read(self, peer: LinePeer) -> None:
        assert self._child.stdout is not None  # noqa: S101 - it is a pipe
        while data := await self._child.stdout.read(1 << 16):
            peer.data(data)

    async def _read_errors(self) -> None:
        assert self._child.stderr is not None  # noqa: S101 - it is a pipe
        rest = b""
        while data := await self._child.stderr.read(1 << 16):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._tell(line)
        if rest:
            self._tell(rest)

    def _tell(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        self._last_lines.append(text)
        if self._on_log is not None:
            self._on_log(LogRecord(LogLevel.WARN, text, "stderr", int(time.time() * 1000)))

    def write(self, data: bytes) -> None:
        """Writes bytes to the plugin; what it does not read yet waits in memory, as many as requests may be pending."""
        assert self._child.stdin is not None  # noqa: S101 - it is a pipe
        if not self._child.stdin.is_closing():
            self._child.stdin.write(data)

    def fail(self, error: AnyplugError) -> None:
        """Ends the process for this reason."""
        self._failure = self._failure or error
        self.kill()

    def kill(self) -> None:
        """Ends the process at once."""
        if self._child.returncode is None:
            self._child.kill()

    async def stop(self) -> None:
        """Closes the input; a process that does not end by itself is made to by TERM, and by KILL."""
        assert self._child.stdin is not None  # noqa: S101 - it is a pipe
        self._child.stdin.close()
        for insist in (self._child.terminate, self._child.kill):
            done, _ = await asyncio.wait([self.closed], timeout=_PATIENCE)
            if done:
                return
            if self._child.returncode is None:
                insist()
        await self.closed


def _environment(env: Mapping[str, str], inherit: bool | Iterable[str], denied: frozenset[str]) -> dict[str, str]:
    names = set(_PASSED_ON) | (set() if isinstance(inherit, bool) else set(inherit))
    passed = {
        name: value
        for name, value in os.environ.items()
        if (inherit is True or name in names or name.startswith("LC_"))
        and name not in denied
        and name not in _NEVER_PASSED_ON
    }
    return {**passed, **env}
