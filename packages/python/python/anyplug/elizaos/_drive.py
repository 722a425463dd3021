"""A plugin that speaks ElizaOS's line protocol, as a plugin of an agent."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeAlias

from .._code import Code
from .._error import AnyplugError
from ..agent import (
    Action,
    ActionResult,
    Agent,
    AgentPluginDefinition,
    AgentService,
    Evaluator,
    Invocation,
    Json,
    JsonObject,
    Provider,
    ProviderResult,
    Question,
    Route,
    RouteRequest,
    RouteResponse,
    is_object,
)
from ._manifest import description_of

__all__ = ("Ask", "Dialect", "driven_plugin", "plain_json")

Dialect: TypeAlias = Literal["messages", "methods"]
"""The two protocols: messages with a type, and calls with a method."""

Ask: TypeAlias = Callable[[str, JsonObject], Awaitable[JsonObject]]
"""Sends a request of that type with these members, and returns the answer."""


def driven_plugin(manifest: JsonObject, ask: Ask, dialect: Dialect) -> AgentPluginDefinition:
    """Returns the definition of a plugin with this manifest: what it does is asked over the line."""
    driver = _Driver(ask)
    own = description_of(manifest)
    return AgentPluginDefinition(
        name=own.name,
        description=own.description,
        priority=own.priority,
        dependencies=own.dependencies,
        init=driver.init,
        actions=[
            Action(
                name=one.name,
                description=one.description,
                similes=one.similes,
                priority=one.priority,
                tags=one.tags,
                examples=_parsed(one.examples_json),
                parameters=_parsed(one.parameters_json),
                validate=driver.validate("action", one.name),
                handler=driver.invoke("action", one.name),
            )
            for one in own.actions
        ],
        providers=[
            Provider(
                name=one.name,
                description=one.description,
                dynamic=one.dynamic,
                position=one.position,
                private=one.private,
                get=driver.get(one.name),
            )
            for one in own.providers
        ],
        evaluators=[
            Evaluator(
                name=one.name,
                description=one.description,
                similes=one.similes,
                always_run=one.always_run,
                examples=_parsed(one.examples_json),
                # Of the two protocols only that of methods asks an evaluator first.
                validate=None if dialect == "messages" else driver.validate("evaluator", one.name),
                handler=driver.invoke("evaluator", one.name),
            )
            for one in own.evaluators
        ],
        services=[
            AgentService(
                type=one.type,
                description=one.description,
                start=driver.serve("service.start", one.type),
                stop=driver.serve("service.stop", one.type),
            )
            for one in own.services
        ],
        routes=[
            Route(
                path=one.path,
                method=one.method,  # type: ignore[arg-type]
                name=one.name,
                public=one.public,
                multipart=one.multipart,
                handler=driver.handle,
            )
            for one in own.routes
        ],
    )


class _Driver:
    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def init(self, config: JsonObject, _agent: Agent) -> None:
        answer = await self._ask("plugin.init", {"config": dict(config)})
        if answer.get("success") is False:
            reason = answer.get("error") or "no reason was given"
            raise AnyplugError(Code.FAILED_PRECONDITION, f"it refused its configuration: {reason}")

    def validate(self, key: str, name: str) -> Callable[[Question], Awaitable[bool]]:
        async def validate(question: Question) -> bool:
            members = {key: name, "memory": question.message.to_json(), "state": question.state.to_json()}
            return (await self._ask(f"{key}.validate", members)).get("valid") is True

        return validate

    def invoke(self, key: str, name: str) -> Callable[[Invocation], Awaitable[ActionResult | None]]:
        async def invoke(invocation: Invocation) -> ActionResult | None:
            members = {
                key: name,
                "memory": invocation.message.to_json(),
                "state": invocation.state.to_json(),
                "options": dict(invocation.options),
            }
            result = (await self._ask(f"{key}.invoke", members)).get("result")
            return None if result is None else ActionResult.from_json(result)

        return invoke

    def get(self, name: str) -> Callable[[Question], Awaitable[ProviderResult]]:
        async def get(question: Question) -> ProviderResult:
            members = {"provider": name, "memory": question.message.to_json(), "state": question.state.to_json()}
            return ProviderResult.from_json((await self._ask("provider.get", members)).get("result"))

        return get

    def serve(self, request: str, service: str) -> Callable[[Agent], Awaitable[None]]:
        async def serve(_agent: Agent) -> None:
            # Peers read one of the two spellings.
            answer = await self._ask(request, {"service": service, "serviceType": service})
            if answer.get("success") is False:
                error = answer.get("error")
                raise AnyplugError(Code.UNKNOWN, error if isinstance(error, str) else "no reason was given")

        return serve

    async def handle(self, asked: RouteRequest, _agent: Agent) -> RouteResponse:
        request = {
            "method": asked.method,
            "params": dict(asked.params),
            "query": dict(asked.query),
            "headers": dict(asked.headers),
            "body": plain_json(asked.body),
        }
        # Flat for some peers, in an object for others.
        whole = {"path": asked.path, **request}
        answer = await self._ask("route.handle", {**whole, "request": whole})
        # `route.result` has it inside, `route.response` is it.
        inner = answer.get("result")
        return _response(inner if is_object(inner) else answer)


def _response(answer: JsonObject) -> RouteResponse:
    status, headers, body = answer.get("status"), answer.get("headers"), answer.get("body")
    told: dict[str, Any] = {}
    if isinstance(status, int) and not isinstance(status, bool):
        told["status"] = status
    if is_object(headers):
        told["headers"] = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in headers.items()
        }
    if body is not None:
        told["body"] = body
    return RouteResponse(**told)


def plain_json(body: bytes) -> Json:
    """Returns JSON where it is JSON, else text; None for no bytes."""
    if not body:
        return None
    text = body.decode(errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _parsed(text: str) -> Json:
    return json.loads(text) if text else None
