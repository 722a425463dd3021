"""The server of the grpcio contenders: ``sync`` or ``aio``, an address; until its standard input ends."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from ._grpc_messages import SERVICE, message

_ECHO_REQUEST, _ECHO_RESPONSE = message("EchoRequest"), message("EchoResponse")
_COUNT_REQUEST, _COUNT_RESPONSE = message("CountRequest"), message("CountResponse")


def _echo(request: Any, context: Any) -> Any:
    return _ECHO_RESPONSE(data=request.data)


async def _echo_async(request: Any, context: Any) -> Any:
    return _ECHO_RESPONSE(data=request.data)


def _count(request: Any, context: Any) -> Iterator[Any]:
    data = bytes(request.size)
    for _ in range(request.count):
        yield _COUNT_RESPONSE(data=data)


async def _count_async(request: Any, context: Any) -> AsyncIterator[Any]:
    data = bytes(request.size)
    for _ in range(request.count):
        yield _COUNT_RESPONSE(data=data)


def _handlers(echo: Any, count: Any) -> Any:
    methods = {
        "Echo": grpc.unary_unary_rpc_method_handler(echo, _ECHO_REQUEST.FromString, _ECHO_RESPONSE.SerializeToString),
        "Count": grpc.unary_stream_rpc_method_handler(
            count, _COUNT_REQUEST.FromString, _COUNT_RESPONSE.SerializeToString
        ),
    }
    return grpc.method_handlers_generic_handler(SERVICE, methods)


def _reached(address: str, port: int) -> str:
    return f"{address.removesuffix(':0')}:{port}" if address.endswith(":0") else address


def _serve(address: str) -> None:
    server = grpc.server(ThreadPoolExecutor(max_workers=10))
    server.add_generic_rpc_handlers((_handlers(_echo, _count),))
    port = server.add_insecure_port(address)
    server.start()
    print(_reached(address, port), flush=True)
    sys.stdin.read()
    server.stop(None).wait()


async def _serve_async(address: str) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_handlers(_echo_async, _count_async),))
    port = server.add_insecure_port(address)
    await server.start()
    print(_reached(address, port), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(None)


if __name__ == "__main__":
    if sys.argv[1] == "aio":
        asyncio.run(_serve_async(sys.argv[2]))
    else:
        _serve(sys.argv[2])
