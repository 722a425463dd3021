"""A program that is a plugin of a host that speaks ElizaOS's line protocols on its standard streams."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import BinaryIO

from ..agent import AgentPluginDefinition, AgentRuntime, local_peer
from ._peer import MAX_MESSAGE_BYTES
from ._serve import LineServer

__all__ = ("serve_elizaos",)

_READ = 64 << 10


async def serve_elizaos(
    definition: AgentPluginDefinition,
    *,
    input: BinaryIO | None = None,  # noqa: A002 - as the streams are called
    output: BinaryIO | None = None,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
    timeout: float = 30.0,  # noqa: ASYNC109 - of each request
) -> None:
    """Serves a plugin until the host closes the input, and all that it asked is answered::

        asyncio.run(serve_elizaos(AgentPluginDefinition(name="weather", actions=[Action(name="FORECAST", handler=…)])))

    ``input``, ``output``: by default the standard streams; what the program prints goes to standard error then.
    ``max_message_bytes``: what a line of the host may have. ``timeout``: seconds that the plugin may take for one
    answer.

    Such a host offers nothing to its plugins: the plugin's agent has no settings and no other plugins, and forgets when
    the program ends.
    """
    source, sink = input or sys.stdin.buffer, output or sys.stdout.buffer

    def write(data: bytes) -> None:
        # Who does not listen any more has closed the input, too.
        with contextlib.suppress(OSError):
            sink.write(data)
            sink.flush()

    agent = AgentRuntime(name="elizaos")
    peer = local_peer(definition, name=agent.name, services=agent.services)
    with contextlib.redirect_stdout(sys.stderr) if output is None else contextlib.nullcontext():
        server = await LineServer.start(peer, write=write, max_message_bytes=max_message_bytes, timeout=timeout)
        read = getattr(source, "read1", source.read)
        while data := await asyncio.to_thread(read, _READ):
            server.data(data)
        await server.drain()
