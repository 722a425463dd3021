"""The client under test: it makes the calls that the runner asks for, all at once, and reports how each ended."""

import asyncio
from typing import cast

from anyplug import Limits, Plugin, PluginLoad, TlsOptions, TransportName, load_plugin
from rpc_conformance_generated.connectrpc.conformance.v1 import (
    ClientCompatRequest,
    ClientCompatResponse,
    ClientErrorResult,
)
from rpc_conformance_generated.connectrpc.conformance.v1.service_anyplug import Conformance

from ._call import make_call
from ._delimited import read_message, write_message
from ._server import CERTIFICATES

__all__ = ("run",)


def run(transport: str) -> None:
    """Runs until the runner asks for nothing more."""
    asyncio.run(_Client(transport).run())


class _Client:
    def __init__(self, transport: str) -> None:
        self._transport = transport
        self._plugins: dict[tuple[str, bool], asyncio.Task[Plugin]] = {}

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as calls:
            while (request := await loop.run_in_executor(None, read_message, ClientCompatRequest)) is not None:
                calls.create_task(self._answer(request))
        for plugin in self._plugins.values():
            await (await plugin).close()

    async def _answer(self, request: ClientCompatRequest) -> None:
        response = ClientCompatResponse(test_name=request.test_name)
        try:
            plugin = await self._load(request)
            response.response = await make_call(plugin.client(Conformance), request)
        except Exception as error:
            response.error = ClientErrorResult(message=f"{type(error).__name__}: {error}")
        write_message(response)

    async def _load(self, request: ClientCompatRequest) -> Plugin:
        """Returns the one plugin of each server."""
        key = (request.host, request.client_tls_creds is None)
        if key not in self._plugins:
            self._plugins[key] = asyncio.ensure_future(_loaded(self._load_new(request)))
        return await self._plugins[key]

    def _load_new(self, request: ClientCompatRequest) -> PluginLoad:
        is_served = ":" in request.host
        return load_plugin(
            request.host,
            transport=None if is_served else cast("TransportName", self._transport),
            tls=_tls_options(request),
            limits=Limits(max_message_bytes=request.message_receive_limit),
            start_timeout=30,
        )


async def _loaded(load: PluginLoad) -> Plugin:
    return await load.__aenter__()


def _tls_options(request: ClientCompatRequest) -> TlsOptions | None:
    if not request.server_tls_cert:
        return None
    ca = request.server_tls_cert.decode()
    if (own := request.client_tls_creds) is not None:
        return TlsOptions(certificate=own.cert.decode(), key=own.key.decode(), ca=ca)
    return TlsOptions(certificate=CERTIFICATES / "host.pem", key=CERTIFICATES / "host.key", ca=ca)
