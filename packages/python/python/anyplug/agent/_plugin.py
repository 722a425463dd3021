"""Serves what a plugin adds to an agent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import TypeVar

from anyplug_generated.anyplug.agent import v1 as wire
from anyplug_generated.anyplug.agent.v1.plugin_anyplug import AgentPlugin, AgentPluginHandler

from .._code import Code
from .._context import Context
from .._error import AnyplugError
from .._handler import Implementation, implement
from ._agent import Agent, CallingAgent, InitializingAgent
from ._define import (
    AgentPluginDefinition,
    HttpFields,
    Invocation,
    Invoke,
    ModelCall,
    Question,
    RouteRequest,
    RouteResponse,
)
from ._json import parse_json, parse_object, print_json
from ._messages import content_message, memory_of, provider_message, result_message, state_of
from ._streamed import settled, streamed
from ._values import ActionResult, Content

__all__ = ("agent_plugin",)

T = TypeVar("T")
EventT = TypeVar("EventT")


def agent_plugin(definition: AgentPluginDefinition) -> Implementation:
    """Returns what serves the plugin to an agent: give it to `define_plugin`::

        weather = agent_plugin(AgentPluginDefinition(name="weather", actions=[Action(name="FORECAST", handler=…)]))
        plugin = define_plugin(name="weather", version="1.0.0", services=[weather])

    Raises AnyplugError (INVALID_ARGUMENT) when a name comes twice.
    """
    return implement(AgentPlugin, _DefinedPlugin(definition))


class _DefinedPlugin(AgentPluginHandler):
    def __init__(self, definition: AgentPluginDefinition) -> None:
        self._definition = definition
        self._actions = _by_key("action", definition.actions, lambda one: one.name)
        self._providers = _by_key("provider", definition.providers, lambda one: one.name)
        self._evaluators = _by_key("evaluator", definition.evaluators, lambda one: one.name)
        self._services = _by_key("service", definition.services, lambda one: one.type)
        self._routes = _by_key("route", definition.routes, lambda one: f"{one.method} {one.path}")

    async def describe(self, request: wire.DescribeRequest, context: Context, /) -> wire.DescribeResponse:
        own = self._definition
        return wire.DescribeResponse(
            name=own.name,
            description=own.description,
            priority=own.priority,
            dependencies=list(own.dependencies),
            actions=[
                wire.ActionDescription(
                    name=one.name,
                    description=one.description,
                    similes=list(one.similes),
                    examples_json="" if one.examples is None else print_json(one.examples, "examples"),
                    priority=one.priority,
                    tags=list(one.tags),
                    parameters_json="" if one.parameters is None else print_json(one.parameters, "parameters"),
                )
                for one in own.actions
            ],
            providers=[
                wire.ProviderDescription(
                    name=one.name,
                    description=one.description,
                    dynamic=one.dynamic,
                    position=one.position,
                    private=one.private,
                )
                for one in own.providers
            ],
            evaluators=[
                wire.EvaluatorDescription(
                    name=one.name,
                    description=one.description,
                    similes=list(one.similes),
                    always_run=one.always_run,
                    examples_json="" if one.examples is None else print_json(one.examples, "examples"),
                )
                for one in own.evaluators
            ],
            services=[wire.ServiceDescription(type=one.type, description=one.description) for one in own.services],
            routes=[
                wire.RouteDescription(
                    path=one.path, method=one.method, name=one.name, public=one.public, multipart=one.multipart
                )
                for one in own.routes
            ],
            events=list(own.events),
            models=list(own.models),
        )

    async def init(self, request: wire.InitRequest, context: Context, /) -> wire.InitResponse:
        if self._definition.init is not None:
            config = parse_object(request.config_json, "config_json") or {}
            agent = InitializingAgent(context, request.agent_id, request.agent_name)
            await settled(self._definition.init(config, agent))
        return wire.InitResponse()

    async def validate_action(
        self, request: wire.ValidateActionRequest, context: Context, /
    ) -> wire.ValidateActionResponse:
        validate = self._find("action", self._actions, request.name).validate
        valid = validate is None or await settled(validate(_question(request, CallingAgent(context))))
        return wire.ValidateActionResponse(valid=valid)

    async def invoke_action(
        self, request: wire.InvokeActionRequest, context: Context, /
    ) -> AsyncIterator[wire.InvokeActionResponse]:
        handler = self._find("action", self._actions, request.name).handler
        async for event in _invoke(wire.InvokeActionResponse, handler, request, CallingAgent(context)):
            yield event

    async def get_provider(self, request: wire.GetProviderRequest, context: Context, /) -> wire.GetProviderResponse:
        provider = self._find("provider", self._providers, request.name)
        result = await settled(provider.get(_question(request, CallingAgent(context))))
        return wire.GetProviderResponse(result=provider_message(result))

    async def validate_evaluator(
        self, request: wire.ValidateEvaluatorRequest, context: Context, /
    ) -> wire.ValidateEvaluatorResponse:
        validate = self._find("evaluator", self._evaluators, request.name).validate
        valid = validate is None or await settled(validate(_question(request, CallingAgent(context))))
        return wire.ValidateEvaluatorResponse(valid=valid)

    async def invoke_evaluator(
        self, request: wire.InvokeEvaluatorRequest, context: Context, /
    ) -> AsyncIterator[wire.InvokeEvaluatorResponse]:
        handler = self._find("evaluator", self._evaluators, request.name).handler
        async for event in _invoke(wire.InvokeEvaluatorResponse, handler, request, CallingAgent(context)):
            yield event

    async def start_service(self, request: wire.StartServiceRequest, context: Context, /) -> wire.StartServiceResponse:
        await settled(self._find("service", self._services, request.type).start(CallingAgent(context)))
        return wire.StartServiceResponse()

    async def stop_service(self, request: wire.StopServiceRequest, context: Context, /) -> wire.StopServiceResponse:
        await settled(self._find("service", self._services, request.type).stop(CallingAgent(context)))
        return wire.StopServiceResponse()

    async def handle_route(self, request: wire.HandleRouteRequest, context: Context, /) -> wire.HandleRouteResponse:
        route = self._find("route", self._routes, f"{request.method} {request.path}")
        asked = RouteRequest(
            path=request.path,
            method=request.method,
            params=request.params,
            query=HttpFields([(one.name, one.value) for one in request.query]),
            headers=HttpFields([(one.name, one.value) for one in request.headers], ignore_case=True),
            body=request.body,
        )
        return _route_message(await settled(route.handler(asked, CallingAgent(context))))

    async def handle_event(self, request: wire.HandleEventRequest, context: Context, /) -> wire.HandleEventResponse:
        payload = parse_json(request.payload_json, "payload_json")
        for handler in self._find("event", self._definition.events, request.type):
            await settled(handler(payload, CallingAgent(context)))
        return wire.HandleEventResponse()

    async def generate(
        self, request: wire.GenerateRequest, context: Context, /
    ) -> AsyncIterator[wire.GenerateResponse]:
        handler = self._find("model", self._definition.models, request.model)
        params = parse_json(request.params_json, "params_json")

        async def work(give: Callable[[wire.GenerateResponse], None]) -> wire.GenerateResponse:
            call = ModelCall(agent=CallingAgent(context), give=lambda text: give(wire.GenerateResponse(text=text)))
            result = await settled(handler(params, call))
            return wire.GenerateResponse(result_json=print_json(result, "result"))

        async for event in streamed(work):
            yield event

    def _find(self, what: str, among: Mapping[str, T], name: str) -> T:
        found = among.get(name)
        if found is not None:
            return found
        known = f"it has {', '.join(among)}" if among else "it has none"
        raise AnyplugError(Code.NOT_FOUND, f'plugin "{self._definition.name}" has no {what} "{name}"; {known}')


_Asked = (
    wire.ValidateActionRequest
    | wire.ValidateEvaluatorRequest
    | wire.GetProviderRequest
    | wire.InvokeActionRequest
    | wire.InvokeEvaluatorRequest
)


def _question(request: _Asked, agent: Agent) -> Question:
    return Question(message=memory_of(request.message), state=state_of(request.state), agent=agent)


def _invoke(
    event: Callable[..., EventT],
    handler: Invoke,
    request: wire.InvokeActionRequest | wire.InvokeEvaluatorRequest,
    agent: Agent,
) -> AsyncIterator[EventT]:
    async def work(give: Callable[[EventT], None]) -> EventT:
        def say(content: Content) -> None:
            give(event(content=content_message(content)))

        invocation = Invocation(
            message=memory_of(request.message),
            state=state_of(request.state),
            agent=agent,
            options=parse_object(request.options_json, "options_json") or {},
            responses=[memory_of(memory) for memory in request.responses],
            say=say,
        )
        result = await settled(handler(invocation))
        return event(result=result_message(result or ActionResult(success=True)))

    return streamed(work)


def _route_message(response: RouteResponse) -> wire.HandleRouteResponse:
    body = response.body
    headers = [wire.HttpField(name=name, value=value) for name, value in response.headers.items()]
    if not isinstance(body, str | bytes | bytearray):
        if not any(one.name.lower() == "content-type" for one in headers):
            headers.append(wire.HttpField(name="content-type", value="application/json"))
        body = print_json(body, "body")
    data = body.encode() if isinstance(body, str) else bytes(body)
    return wire.HandleRouteResponse(status=response.status, headers=headers, body=data)


def _by_key(what: str, values: Iterable[T], key: Callable[[T], str]) -> dict[str, T]:
    result: dict[str, T] = {}
    for value in values:
        name = key(value)
        if name in result:
            raise AnyplugError(Code.INVALID_ARGUMENT, f'{what} "{name}" is defined twice')
        result[name] = value
    return result
