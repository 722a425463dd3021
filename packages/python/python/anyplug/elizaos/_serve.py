"""A plugin of an agent, served by ElizaOS's line protocols to a host that speaks one of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from .._code import Code
from .._error import AnyplugError, to_error
from .._options import CallOptions
from ..agent import (
    ActionResult,
    AgentPeer,
    InvokeArguments,
    Json,
    JsonObject,
    Memory,
    ProviderResult,
    Registration,
    State,
    is_object,
)
from ._drive import plain_json
from ._lines import LineReader
from ._manifest import manifest_of
from ._methods import message_of, result_in
from ._peer import MAX_MESSAGE_BYTES, line_of

__all__ = ("LineServer",)


class LineServer:
    """A plugin at the end of a line. Requests are answered as they are done, many at once."""

    def __init__(self, plugin: Registration, write: Callable[[bytes], object], max_bytes: int, timeout: float) -> None:
        self._plugin = plugin
        self._write_bytes = write
        self._reader = LineReader(max_bytes, self._begin)
        self._options = CallOptions(timeout=timeout)
        self._tasks: set[asyncio.Task[None]] = set()

    @staticmethod
    async def start(
        peer: AgentPeer,
        *,
        write: Callable[[bytes], object],
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        timeout: float = 30.0,  # noqa: ASYNC109 - of each request
    ) -> LineServer:
        """Tells the host that the plugin is ready, and what it has. Give what the host writes to `data`.

        ``write`` writes bytes to the host. ``max_message_bytes``: what a line of the host may have. ``timeout``:
        seconds that the plugin may take for one answer.
        """
        server = LineServer(await Registration.of(peer), write, max_message_bytes, timeout)
        server._write({"type": "ready", "manifest": server._manifest()})
        return server

    def data(self, data: bytes) -> None:
        """Takes bytes that the host wrote."""
        try:
            self._reader.push(data)
        except AnyplugError as error:
            self._write({"type": "error", "id": "", "error": error.message})

    async def drain(self) -> None:
        """Waits until all requests that came are answered."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _begin(self, line: str) -> None:
        task = asyncio.get_running_loop().create_task(self._line(line))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _line(self, line: str) -> None:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            self._write({"type": "error", "id": "", "error": "Parse error", "details": str(error)})
            return
        if not is_object(request):
            self._write({"type": "error", "id": "", "error": "Invalid request: expected an object"})
        elif isinstance(request.get("method"), str) and request.get("type") is None:
            await self._called(request["method"], request)
        else:
            await self._asked(request)

    async def _asked(self, request: JsonObject) -> None:
        given = request.get("id")
        key = "" if given is None else given
        try:
            self._write({**await self._answer(request), "id": key})
        except Exception as error:
            self._write({"type": "error", "id": key, "error": to_error(error).message})

    async def _called(self, method: str, request: JsonObject) -> None:
        key, params = request.get("id"), request.get("params")
        try:
            self._write({"id": key, "result": await self._result(method, params if is_object(params) else {})})
        except Exception as error:
            self._write({"id": key, "error": to_error(error).message})

    async def _result(self, method: str, params: JsonObject) -> Json:
        if method == "getManifest":
            return self._manifest()
        if method == "generateResponse":
            return await self._plugin.generate("TEXT_LARGE", params.get("input"), lambda _: None)
        message = message_of(method, params)
        if message is None:
            raise AnyplugError(Code.UNIMPLEMENTED, f"Unknown method: {method}")
        return result_in(method, await self._answer(message))

    async def _answer(self, request: JsonObject) -> JsonObject:
        type_ = request.get("type")
        answer = _ANSWERS.get(type_) if isinstance(type_, str) else None
        if answer is None:
            raise AnyplugError(Code.UNIMPLEMENTED, f"Unknown request type: {type_}")
        return await answer(self._plugin, request, self._options)

    def _manifest(self) -> JsonObject:
        return manifest_of(self._plugin.description, "python")

    def _write(self, message: JsonObject) -> None:
        self._write_bytes(line_of(message))


async def _init(plugin: Registration, request: JsonObject, options: CallOptions) -> JsonObject:
    config = request.get("config")
    try:
        await plugin.init("", "elizaos", config if is_object(config) else {}, options)
    except AnyplugError as error:
        return {"type": "plugin.init.result", "success": False, "error": error.message}
    return {"type": "plugin.init.result", "success": True}


async def _validate_action(plugin: Registration, request: JsonObject, options: CallOptions) -> JsonObject:
    name, message, state, _ = _about(request, "action")
    found = _has(plugin.description.actions, name)
    valid = found and await plugin.validate_action(name, message, state, options)
    return {"type": "validate.result", "valid": valid}


async def _invoke_action(plugin: Registration, request: JsonObject, options: CallOptions) -> JsonObject:
    name, message, state, given = _about(request, "action")
    if not _has(plugin.description.actions, name):
        result = ActionResult(success=False, error=f"Action not found: {name}")
    else:
        args = InvokeArguments(message=message, state=state, options=given)
        try:
            result = await plugin.invoke_action(name, args, options)
        except AnyplugError as error:
            result = ActionResult(success=False, error=error.message)
    return {"type": "action.result", "result": result.to_json()}


async def _get_provider(plugin: Registration, request: JsonObject, options: CallOptions) -> JsonObject:
    name, message, state, _ = _about(request, "provider")
    found = _has(plugin.description.providers, name)
    result = await plugin.get_provider(name, message, state, options) if found else ProviderResult()
    told = {"text": result.text, "values": result.values, "data": result.data}
    return {"type": "provider.result", "result": told}


async def _validate_evaluator(plugin: Registration, request: JsonObject, options: CallOptions) -> JsonObject:
    name, message, state, _ = _about(request, "evaluator")
    found = _has(plugin.description.evaluators, name)
    valid = found and await plugin.validate_evaluator(name, message, state, options)
    return {"type": "validate.result", "valid": valid}


async def _invoke_evaluator(plugin: Registration, request: JsonObject, options: CallOptions) -> JsonObject:
    name, message, state, given = _about(request, "evaluator")
    if not _has(plugin.description.evaluators, name):
        return {"type": "action.result", "result": None}
    args = InvokeArguments(message=message, state=state, options=given)
    result = await plugin.invoke_evaluator(name, args, options)
    return {"type": "action.result", "result": result.to_json()}


async def _start_service(plugin: Registration, request: JsonObject, options: CallOptions) -> JsonObject:
    type_ = _service(request)
    await plugin.start_service(type_, options)
    return {"type": "service.response", "service": type_, "serviceType": type_, "success": True}


async def _stop_service(plugin: Registration, request: JsonObject, options: CallOptions) -> JsonObject:
    type_ = _service(request)
    await plugin.stop_service(type_, options)
    return {"type": "service.response", "service": type_, "serviceType": type_, "success": True}


async def _handle_route(plugin: Registration, request: JsonObject, options: CallOptions) -> JsonObject:
    inner = request.get("request")
    asked = {**request, **inner} if is_object(inner) else request
    answer = await plugin.handle_route(
        _string(asked.get("path", "")),
        _string(asked.get("method", "GET")).upper(),
        params=dict(_fields(asked.get("params"))),
        query=_fields(asked.get("query")),
        headers=_fields(asked.get("headers")),
        body=_bytes(asked.get("body")),
        options=options,
    )
    told = {"status": answer.status, "headers": dict(answer.headers), "body": plain_json(answer.body)}
    # `result` for peers of the other spelling.
    return {"type": "route.response", **told, "result": told}


_Answer = Callable[[Registration, JsonObject, CallOptions], Awaitable[JsonObject]]

_ANSWERS: dict[str, _Answer] = {
    "plugin.init": _init,
    "action.validate": _validate_action,
    "action.invoke": _invoke_action,
    "provider.get": _get_provider,
    "evaluator.validate": _validate_evaluator,
    "evaluator.invoke": _invoke_evaluator,
    "service.start": _start_service,
    "service.stop": _stop_service,
    "route.handle": _handle_route,
}


class _Named(Protocol):
    name: str


def _about(request: JsonObject, key: str) -> tuple[str, Memory, State, JsonObject]:
    name, options = request.get(key), request.get("options")
    if not isinstance(name, str):
        raise AnyplugError(Code.INVALID_ARGUMENT, f"{key}: expected text, got {json.dumps(name)}")
    message, state = Memory.from_json(request.get("memory")), State.from_json(request.get("state"))
    return name, message, state, options if is_object(options) else {}


def _has(descriptions: Sequence[_Named], name: str) -> bool:
    return any(one.name == name for one in descriptions)


def _service(request: JsonObject) -> str:
    found = request.get("serviceType")
    return _string(request.get("service", "") if found is None else found)


def _string(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _fields(value: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - JSON
    """An object of texts, or of lists of them, as fields."""
    if not is_object(value):
        return []
    return [
        (name, _string(one))
        for name, member in value.items()
        for one in (member if isinstance(member, list) else [member])
    ]


def _bytes(body: Json) -> bytes:
    if body is None:
        return b""
    return (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))).encode()
