"""A plugin that an agent has registered: what it has, and typed calls of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from anyplug_generated.anyplug.agent import v1 as wire
from anyplug_generated.anyplug.agent.v1.plugin_anyplug import AgentPlugin, AgentPluginClient

from .._descriptor import ServiceDescriptor
from .._options import CallOptions
from .._transport import ResponseStream
from ._agent import OnText, without_result
from ._json import Json, JsonObject, parse_json, print_json
from ._messages import (
    content_of,
    memory_message,
    provider_result_of,
    result_of,
    state_message,
)
from ._values import ActionResult, Content, Memory, ProviderResult, State

__all__ = ("AgentPeer", "InvokeArguments", "Owned", "Registration", "RouteAnswer")

ClientT = TypeVar("ClientT")
DescriptionT_co = TypeVar("DescriptionT_co", covariant=True)


class AgentPeer(Protocol):
    """Something whose services can be called: a plugin that `load_plugin` returned is one."""

    def client(self, service: ServiceDescriptor[ClientT, Any, Any]) -> ClientT:
        """Returns a client for one of its services."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeArguments:
    """What an action or an evaluator is invoked with."""

    message: Memory
    state: State
    options: JsonObject | None = None
    responses: Sequence[Memory] = ()
    on_content: Callable[[Content], object] | None = None
    """Takes what is said on the way."""


@dataclass(frozen=True, slots=True)
class Owned(Generic[DescriptionT_co]):
    """What one of the plugins has, and which."""

    plugin: Registration
    description: DescriptionT_co


@dataclass(frozen=True, slots=True)
class RouteAnswer:
    """What a route answered."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(eq=False)
class Registration:
    """A registered plugin. Its calls fail as calls do: with an AnyplugError."""

    description: wire.DescribeResponse
    """What it says that it has."""
    _client: AgentPluginClient
    running: dict[str, None] = field(default_factory=dict)
    """The types of its services that run, in the order in which they were started."""

    @staticmethod
    async def of(peer: AgentPeer, options: CallOptions | None = None) -> Registration:
        """Asks the plugin what it has."""
        client = peer.client(AgentPlugin)
        return Registration(await client.describe(options=options), client)

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.description.name

    async def init(
        self, agent_id: str, agent_name: str, config: JsonObject, options: CallOptions | None = None
    ) -> None:
        """Initializes the plugin."""
        text = print_json(config, "config")
        await self._client.init(agent_id=agent_id, agent_name=agent_name, config_json=text, options=options)

    async def validate_action(
        self, name: str, message: Memory, state: State, options: CallOptions | None = None
    ) -> bool:
        """Returns whether the action makes sense for the message."""
        request = wire.ValidateActionRequest(**_question(name, message, state))
        return (await self._client.validate_action(request, options=options)).valid

    async def invoke_action(self, name: str, args: InvokeArguments, options: CallOptions | None = None) -> ActionResult:
        """Runs the action."""
        events = self._client.invoke_action(wire.InvokeActionRequest(**_invocation(name, args)), options=options)
        return await _invoked(f"action {name}", events, args)

    async def get_provider(
        self, name: str, message: Memory, state: State, options: CallOptions | None = None
    ) -> ProviderResult:
        """Returns what the provider tells."""
        request = wire.GetProviderRequest(**_question(name, message, state))
        return provider_result_of((await self._client.get_provider(request, options=options)).result)

    async def validate_evaluator(
        self, name: str, message: Memory, state: State, options: CallOptions | None = None
    ) -> bool:
        """Returns whether the evaluator wants to look at the message."""
        request = wire.ValidateEvaluatorRequest(**_question(name, message, state))
        return (await self._client.validate_evaluator(request, options=options)).valid

    async def invoke_evaluator(
        self, name: str, args: InvokeArguments, options: CallOptions | None = None
    ) -> ActionResult:
        """Runs the evaluator."""
        events = self._client.invoke_evaluator(wire.InvokeEvaluatorRequest(**_invocation(name, args)), options=options)
        return await _invoked(f"evaluator {name}", events, args)

    async def start_service(self, type: str, options: CallOptions | None = None) -> None:  # noqa: A002
        """Starts a service of the plugin."""
        await self._client.start_service(type=type, options=options)
        self.running[type] = None

    async def stop_service(self, type: str, options: CallOptions | None = None) -> None:  # noqa: A002
        """Stops a service of the plugin."""
        self.running.pop(type, None)
        await self._client.stop_service(type=type, options=options)

    async def handle_route(
        self,
        path: str,
        method: str,
        *,
        params: Mapping[str, str] | None = None,
        query: Sequence[tuple[str, str]] = (),
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        options: CallOptions | None = None,
    ) -> RouteAnswer:
        """Has a route answer a request."""
        answer = await self._client.handle_route(
            path=path,
            method=method,
            params=dict(params or {}),
            query=[wire.HttpField(name=name, value=value) for name, value in query],
            headers=[wire.HttpField(name=name, value=value) for name, value in headers],
            body=body,
            options=options,
        )
        return RouteAnswer(answer.status or 200, [(one.name, one.value) for one in answer.headers], answer.body)

    async def handle_event(self, type: str, payload: Json, options: CallOptions | None = None) -> None:  # noqa: A002
        """Gives the plugin an event."""
        await self._client.handle_event(type=type, payload_json=print_json(payload, "payload"), options=options)

    async def generate(self, model: str, params: Json, on_text: OnText, options: CallOptions | None = None) -> Json:
        """Runs a model of the plugin, and returns its whole answer."""
        text = print_json(params, "params")
        async with self._client.generate(model=model, params_json=text, options=options) as events:
            async for event in events:
                if event.text is not None:
                    on_text(event.text)
                elif event.result_json is not None:
                    return parse_json(event.result_json, "result_json")
        raise without_result(f"the model {model}")


def _question(name: str, message: Memory, state: State) -> dict[str, Any]:
    return {"name": name, "message": memory_message(message), "state": state_message(state)}


def _invocation(name: str, args: InvokeArguments) -> dict[str, Any]:
    return {
        **_question(name, args.message, args.state),
        "options_json": "" if args.options is None else print_json(args.options, "options"),
        "responses": [memory_message(memory) for memory in args.responses],
    }


async def _invoked(
    what: str,
    stream: ResponseStream[wire.InvokeActionResponse] | ResponseStream[wire.InvokeEvaluatorResponse],
    args: InvokeArguments,
) -> ActionResult:
    async with stream as events:
        async for event in events:
            if event.content is not None and args.on_content is not None:
                args.on_content(content_of(event.content))
            if event.result is not None:
                return result_of(event.result)
    raise without_result(what)
