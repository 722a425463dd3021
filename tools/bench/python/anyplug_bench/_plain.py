"""Calls of the language, beside which direct calls stand."""

from __future__ import annotations

from anyplug_generated.anyplug.bench.v1 import EchoRequest, EchoResponse

from ._clock import SMALL, async_measurements, measurements, serve_async, serve_sync
from ._loop import run_on

__all__ = ("serve",)

_DATA = b"\7" * SMALL


class _Handler:
    def echo(self, request: EchoRequest) -> EchoResponse:
        return EchoResponse(data=request.data)

    async def echo_async(self, request: EchoRequest) -> EchoResponse:
        return EchoResponse(data=request.data)


def serve(name: str, how: str, loop: str) -> None:
    """Serves rounds: with messages made for each call, as a direct call has them."""
    handler = _Handler()
    if name == "plain":

        def echo(size: int) -> None:
            if len(handler.echo(EchoRequest(data=_DATA)).data) != size:
                raise RuntimeError("an echo of another size")

        runs = measurements(echo, batch=10)
        serve_sync({what: runs[what] for what in ("latency", "throughput")})
        return

    async def echo_async(size: int) -> None:
        if len((await handler.echo_async(EchoRequest(data=_DATA))).data) != size:
            raise RuntimeError("an echo of another size")

    async_runs = async_measurements(echo_async, batch=10)
    run_on(loop, serve_async({what: async_runs[what] for what in ("latency", "throughput")}))
