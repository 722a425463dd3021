"""The routes of an agent's plugins, served over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator, Generator, Sequence

import uvicorn
from anyplug_generated.anyplug.agent import v1 as wire
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.routing import Route as Pattern
from starlette.types import Receive, Scope, Send

from .._code import Code
from .._error import AnyplugError, to_error
from .._options import CallOptions
from ._registration import Owned
from ._runtime import AgentRuntime

__all__ = ("RouteServer", "serve_routes")


class RouteServer:
    """A running server. `serve_routes` starts one."""

    def __init__(self, server: uvicorn.Server, running: asyncio.Task[None], url: str) -> None:
        self._server = server
        self._running = running
        self.url = url
        """For one "http://127.0.0.1:49152"."""

    async def close(self) -> None:
        """Lets requests end, and then ends the server."""
        self._server.should_exit = True
        await self._running


@contextlib.asynccontextmanager
async def serve_routes(
    agent: AgentRuntime,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    max_body_bytes: int = 4 << 20,
    timeout: float = 30.0,  # noqa: ASYNC109 - of each request
) -> AsyncIterator[RouteServer]:
    """Serves the routes of the plugins that are registered, now and later, until the block is left.

    A plugin's route "/status" is "/NAME/status". An error of a plugin is answered with the HTTP status of its code and
    ``{"code","message"}``. It needs the extra ``anyplug[http]``.

    ``host``: by default this machine alone. ``port``: by default one that is free. ``max_body_bytes``: what the body of
    a request may have; more is answered 413. ``timeout``: seconds that a plugin may take for an answer.

    Raises AnyplugError (UNAVAILABLE) when the address cannot be listened on.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(address[:2], family=family)
    except OSError as error:
        raise AnyplugError(Code.UNAVAILABLE, f"the routes cannot be served: {error}") from error
    application = _Application(agent, max_body_bytes, timeout)
    server = _Server(
        uvicorn.Config(application, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False)
    )
    running = asyncio.get_running_loop().create_task(server.serve([listening]))
    await server.is_started.wait()
    own_address, own_port = listening.getsockname()[:2]
    shown = f"[{own_address}]" if family == socket.AF_INET6 else own_address
    started = RouteServer(server, running, f"http://{shown}:{own_port}")
    try:
        yield started
    finally:
        await started.close()


class _Server(uvicorn.Server):
    """A server within a program that has signals of its own."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_started = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves the signals to the program."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen."""
        await super().startup(sockets)
        self.is_started.set()


class _Application:
    """What answers requests: the routes of the plugins that are registered now."""

    def __init__(self, agent: AgentRuntime, max_body_bytes: int, timeout: float) -> None:
        self._agent = agent
        self._max_body_bytes = max_body_bytes
        self._timeout = timeout
        self._routes: Sequence[Owned[wire.RouteDescription]] = ()
        self._patterns: list[tuple[Pattern, Owned[wire.RouteDescription]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Exception as error:
            told = to_error(error)
            response = _failure(_HTTP_STATUS[told.code], told.code, told.message)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        for pattern, owned in self._current():
            match, found = pattern.matches(request.scope)
            if match is Match.FULL:
                body = await self._body(request)
                if body is None:
                    message = f"the body is over {self._max_body_bytes} bytes"
                    return _failure(413, Code.RESOURCE_EXHAUSTED, message)
                params = {name: str(value) for name, value in found["path_params"].items()}
                return await self._handle(owned, request, params, body)
        return _failure(404, Code.NOT_FOUND, f"there is no route {request.method} {request.url.path}")

    async def _handle(
        self, owned: Owned[wire.RouteDescription], request: Request, params: dict[str, str], body: bytes
    ) -> Response:
        if owned.description.method == "STATIC":
            # What is below a static path is told by the parameter "*".
            params["*"] = params.pop(_REST)
        answer = await owned.plugin.handle_route(
            owned.description.path,
            owned.description.method,
            params=params,
            query=request.query_params.multi_items(),
            headers=request.headers.items(),
            body=body,
            options=CallOptions(timeout=self._timeout),
        )
        response = Response(answer.body, answer.status)
        for name, value in answer.headers:
            response.headers.append(name, value)
        return response

    async def _body(self, request: Request) -> bytes | None:
        """The body, or None when it is too large."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._max_body_bytes:
                return None
        return bytes(body)

    def _current(self) -> list[tuple[Pattern, Owned[wire.RouteDescription]]]:
        # Another list is another set of plugins.
        if self._routes is not self._agent.routes:
            self._routes = self._agent.routes
            self._patterns = [(_pattern(owned), owned) for owned in self._routes]
        return self._patterns


def _pattern(owned: Owned[wire.RouteDescription]) -> Pattern:
    path, method = owned.description.path, owned.description.method
    whole = f"/{owned.plugin.name}{'' if path.startswith('/') else '/'}{path}"
    named = re.sub(r":(\w+)", r"{\1}", whole)
    if method == "STATIC":
        return Pattern(f"{named}/{{{_REST}:path}}", _never, methods=["GET"])
    return Pattern(named, _never, methods=[method])


async def _never(_request: Request) -> Response:
    """A pattern has an endpoint; here it only matches."""
    raise NotImplementedError


def _failure(status: int, code: Code, message: str) -> Response:
    body = json.dumps({"code": code.name, "message": message}, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, media_type="application/json")


_REST = "anyplug_rest"

# As gRPC gateways and Connect have them.
_HTTP_STATUS = {
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}
