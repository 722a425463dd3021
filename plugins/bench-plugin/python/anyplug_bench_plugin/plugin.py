"""BenchService, and the plugin that offers it."""

from __future__ import annotations

from collections.abc import Iterator

from anyplug import Context, define_plugin, implement
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


plugin = define_plugin(name="bench-plugin", version="0.1.0", services=[implement(Bench, _BenchPlugin())])
