"""A plugin that was written for ElizaOS's Python runtime, as a plugin of any agent: unchanged."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from .._code import Code
from .._error import AnyplugError
from ..agent import (
    Action,
    ActionResult,
    Agent,
    AgentPluginDefinition,
    AgentService,
    Content,
    Evaluator,
    Invocation,
    Json,
    JsonObject,
    ModelCall,
    Provider,
    ProviderResult,
    Question,
    RegisteringAgent,
    Route,
    RouteRequest,
    RouteResponse,
)
from ._parameters import parameter_schema
from ._proxy import AgentAsRuntime, KnownToAll
from ._values import json_of, their_memory, their_state

__all__ = ("published_plugin",)


def published_plugin(plugin: Any) -> AgentPluginDefinition:  # noqa: ANN401 - ElizaOS's own class
    """Returns the plugin (``elizaos.types.Plugin``) as an agent registers it. It needs the package ``elizaos``.

    What the plugin asks of its runtime is asked of the agent: settings are those of its configuration, since ElizaOS
    reads them at once. What the agent has nothing for is UNIMPLEMENTED by the name that the plugin called.
    """
    parts = _Parts(plugin)
    return AgentPluginDefinition(
        name=plugin.name,
        description=plugin.description or "",
        priority=plugin.priority or 0,
        dependencies=plugin.dependencies or (),
        init=parts.init,
        actions=[parts.action(one) for one in plugin.actions or ()],
        providers=[parts.provider(one) for one in plugin.providers or ()],
        evaluators=[parts.evaluator(one) for one in plugin.evaluators or ()],
        services=[parts.service(one) for one in plugin.services or ()],
        routes=[parts.route(one) for one in plugin.routes or ()],
        events={
            _text(type_): [parts.event(handler) for handler in handlers]
            for type_, handlers in (plugin.events or {}).items()
        },
        models={
            **{_text(type_): parts.model(model) for type_, model in (plugin.models or {}).items()},
            **{_text(type_): parts.stream(model) for type_, model in (plugin.streaming_models or {}).items()},
        },
    )


class _Parts:
    """What the plugin has, as we define it."""

    def __init__(self, plugin: Any) -> None:  # noqa: ANN401 - ElizaOS's own class
        self._plugin = plugin
        self._known = KnownToAll(settings=dict(plugin.config or {}))

    def _runtime(self, agent: Agent) -> AgentAsRuntime:
        return AgentAsRuntime(agent, self._known)

    async def init(self, config: JsonObject, agent: RegisteringAgent) -> None:
        self._known.agent_id, self._known.agent_name = agent.id, agent.name
        self._known.settings = {**(self._plugin.config or {}), **config}
        init = self._plugin.init
        if init is not None:
            # As ElizaOS calls it: with as many arguments as it takes.
            given = (self._known.settings, self._runtime(agent))
            await init(*given[: len(inspect.signature(init).parameters)])

    def action(self, theirs: Any) -> Action:  # noqa: ANN401 - ElizaOS's own class
        parameters = getattr(theirs, "parameters", None)
        return Action(
            name=theirs.name,
            description=theirs.description or "",
            similes=theirs.similes or (),
            examples=json_of(theirs.examples),
            priority=theirs.priority or 0,
            tags=theirs.tags or (),
            parameters=parameter_schema(None if parameters is None else [json_of(one) for one in parameters]),
            validate=self._validate(theirs),
            handler=self._handler(theirs),
        )

    def provider(self, theirs: Any) -> Provider:  # noqa: ANN401 - ElizaOS's own class
        async def get(question: Question) -> ProviderResult:
            answer = await theirs.get(
                self._runtime(question.agent), their_memory(question.message), their_state(question.state)
            )
            return ProviderResult.from_json(json_of(answer))

        return Provider(
            name=theirs.name,
            description=theirs.description or "",
            dynamic=bool(theirs.dynamic),
            position=theirs.position or 0,
            private=bool(theirs.private),
            get=get,
        )

    def evaluator(self, theirs: Any) -> Evaluator:  # noqa: ANN401 - ElizaOS's own class
        return Evaluator(
            name=theirs.name,
            description=theirs.description or "",
            similes=theirs.similes or (),
            always_run=bool(theirs.always_run),
            examples=json_of(theirs.examples),
            validate=self._validate(theirs),
            handler=self._handler(theirs),
        )

    def service(self, theirs: Any) -> AgentService:  # noqa: ANN401 - ElizaOS's own class
        type_ = _text(theirs.service_type)

        async def start(agent: Agent) -> None:
            self._known.services[type_] = await theirs.start(self._runtime(agent))

        async def stop(_: Agent) -> None:
            running = self._known.services.pop(type_, None)
            if running is not None:
                await running.stop()

        return AgentService(type=type_, start=start, stop=stop)

    def route(self, theirs: Any) -> Route:  # noqa: ANN401 - ElizaOS's own class
        async def handle(request: RouteRequest, agent: Agent) -> RouteResponse:
            if theirs.handler is None:
                raise AnyplugError(Code.UNIMPLEMENTED, f"the route {theirs.path} has no handler")
            types = import_module("elizaos.types.plugin")
            response = types.RouteResponse()
            await theirs.handler(_route_request(types, request), response, self._runtime(agent))
            return _answered(response)

        return Route(
            path=theirs.path,
            method=theirs.type,
            name=theirs.name or "",
            public=bool(theirs.public),
            multipart=bool(theirs.is_multipart),
            handler=handle,
        )

    def event(self, handler: Callable[[Any], Awaitable[None]]) -> Callable[[Json, Agent], Awaitable[None]]:
        async def handle(payload: Json, _: Agent) -> None:
            await handler(payload)

        return handle

    def model(self, model: Callable[..., Awaitable[object]]) -> Callable[[Json, ModelCall], Awaitable[Json]]:
        async def generate(params: Json, call: ModelCall) -> Json:
            return json_of(await model(self._runtime(call.agent), params))

        return generate

    def stream(self, model: Callable[..., Any]) -> Callable[[Json, ModelCall], Awaitable[Json]]:
        async def generate(params: Json, call: ModelCall) -> Json:
            pieces = []
            async for piece in model(self._runtime(call.agent), params):
                call.give(piece)
                pieces.append(piece)
            return "".join(pieces)

        return generate

    def _validate(self, theirs: Any) -> Callable[[Question], Awaitable[bool]]:  # noqa: ANN401 - of ElizaOS
        async def validate(question: Question) -> bool:
            runtime = self._runtime(question.agent)
            return bool(await theirs.validate(runtime, their_memory(question.message), their_state(question.state)))

        return validate

    def _handler(self, theirs: Any) -> Callable[[Invocation], Awaitable[ActionResult | None]]:  # noqa: ANN401
        async def handle(given: Invocation) -> ActionResult | None:
            async def callback(content: object) -> list[Any]:
                given.say(Content.from_json(json_of(content)))
                return []

            result = await theirs.handler(
                self._runtime(given.agent),
                their_memory(given.message),
                their_state(given.state),
                # What ElizaOS's runtime passes is an object with at least these two.
                SimpleNamespace(**{"parameters": {}, "parameter_errors": [], **given.options}),
                callback,
                [their_memory(one) for one in given.responses],
            )
            return None if result is None else ActionResult.from_json(_with_success(json_of(result)))

        return handle


def _with_success(result: Json) -> Json:
    # In the JSON of protobuf a false is left out.
    return {"success": False, **result} if isinstance(result, dict) else result


def _text(value: object) -> str:
    return str(getattr(value, "value", value))


def _several(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A name that comes more than once has a list."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        before = fields.get(name)
        fields[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return fields


def _route_request(types: Any, request: RouteRequest) -> Any:  # noqa: ANN401 - ElizaOS's own class
    text = request.body.decode(errors="replace")
    is_json = "json" in (request.headers.get("content-type") or "")
    return types.RouteRequest(
        body=json.loads(text) if is_json and text else text,
        params=dict(request.params),
        query=_several(request.query),
        headers=_several((name.lower(), value) for name, value in request.headers),
        method=request.method,
        path=request.path,
        url=request.path,
    )


def _answered(response: Any) -> RouteResponse:  # noqa: ANN401 - ElizaOS's own class
    headers: Mapping[str, Any] = response._headers
    body = response._body
    return RouteResponse(
        status=response._status_code,
        headers={name: ", ".join(value) if isinstance(value, list) else str(value) for name, value in headers.items()},
        body="" if body is None else body if isinstance(body, bytes | str) else json_of(body),
    )
