"""BenchService, and the plugin that offers it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from anyplug import Context, Implementation, define_plugin, implement
from anyplug_generated.anyplug.bench.v1 import CountRequest, CountResponse, EchoRequest, EchoResponse
from anyplug_generated.anyplug.bench.v1.bench_anyplug import Bench, BenchHandler

__all__ = ("plugin",)


class _BenchPlugin(BenchHandler):
    def echo(self, request: EchoRequest, context: Context) -> EchoResponse:
        return EchoResponse(data=request.data)

    def count(self, request: CountRequest, context: Context) -> Iterator[CountResponse]:
        data = bytes(request.size)
        for _ in range(request.count):
            yield CountResponse(data=data)


class _AsyncBenchPlugin(_BenchPlugin):
    async def echo(self, request: EchoRequest, context: Context) -> EchoResponse:  # type: ignore[override]
        return EchoResponse(data=request.data)


def _services(config: Mapping[str, Any]) -> list[Implementation]:
    """The configuration `{"async": true}` makes the handler of Echo a coroutine: others take a thread in a loop."""
    return [implement(Bench, _AsyncBenchPlugin() if config.get("async") else _BenchPlugin())]


plugin = define_plugin(name="bench-plugin", version="0.1.0", services=_services)
