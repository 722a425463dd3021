"""A plugin of ours in ElizaOS's own Python runtime."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from .._code import Code
from .._error import AnyplugError
from .._handler import Implementation
from .._options import CallOptions
from ..agent import (
    ActionResult,
    AgentPeer,
    Content,
    InvokeArguments,
    Json,
    Registration,
    agent_services,
)
from ._behind import BehindElizaos
from ._examples import action_examples, action_parameters, evaluator_examples
from ._pieces import pieces
from ._values import json_of, memory_of, options_of, state_of, their_content, told

__all__ = ("ElizaosBridge",)


class ElizaosBridge:
    """Registers a plugin of ours with a runtime of ElizaOS: the plugin asks the runtime, the runtime asks the plugin::

        bridge = ElizaosBridge()
        async with load_plugin("./plugins/weather", services=bridge.services, grants=["agent.settings"]) as loaded:
            await runtime.register_plugin(await bridge.plugin(loaded))

    It needs the package ``elizaos``. A bridge is for one plugin.
    """

    def __init__(self, *, timeout: float = 30.0) -> None:
        """``timeout``: seconds that the plugin may take for one answer; a model has no limit."""
        self._options = CallOptions(timeout=timeout)
        self._runtime: Any = None
        self.services: Sequence[Implementation] = agent_services(BehindElizaos(self._known))
        """What the plugin may call: give it to `load_plugin` as ``services``."""

    async def plugin(self, peer: AgentPeer) -> Any:  # noqa: ANN401 - ElizaOS's own class
        """Asks the plugin what it has, and returns it as a plugin of ElizaOS (``elizaos.types.Plugin``)."""
        registration = await Registration.of(peer, self._options)
        own = registration.description

        async def init(config: Mapping[str, Json], runtime: Any) -> None:  # noqa: ANN401 - ElizaOS's own class
            self._runtime = runtime
            name = str(getattr(runtime.character, "name", "") or "elizaos")
            await registration.init(str(runtime.agent_id), name, config, self._options)

        parts = _Parts(registration, self._options)
        return import_module("elizaos.types.plugin").Plugin(
            name=own.name,
            description=own.description,
            priority=own.priority,
            dependencies=list(own.dependencies),
            init=init,
            actions=[parts.action(one) for one in own.actions],
            providers=[parts.provider(one) for one in own.providers],
            evaluators=[parts.evaluator(one) for one in own.evaluators],
            services=[parts.service(one.type) for one in own.services],
            routes=[parts.route(one) for one in own.routes],
            events={type_: [parts.event(type_)] for type_ in own.events},
            models={type_: parts.model(type_) for type_ in own.models},
            streaming_models={_streaming(type_): parts.streaming_model(type_) for type_ in own.models},
        )

    def _known(self) -> Any:  # noqa: ANN401 - ElizaOS's own class
        if self._runtime is None:
            message = "the plugin is not registered with a runtime of ElizaOS yet"
            raise AnyplugError(Code.FAILED_PRECONDITION, message)
        return self._runtime


class _Parts:
    """What the plugin has, as ElizaOS's classes."""

    def __init__(self, plugin: Registration, options: CallOptions) -> None:
        self._plugin = plugin
        self._options = options
        self._types = import_module("elizaos.types.components")

    def action(self, own: Any) -> Any:  # noqa: ANN401 - a description; ElizaOS's own class
        async def validate(_runtime: object, message: object, state: object = None) -> bool:
            return await self._plugin.validate_action(own.name, memory_of(message), state_of(state), self._options)

        return self._types.Action(
            name=own.name,
            description=own.description,
            similes=list(own.similes),
            priority=own.priority,
            tags=list(own.tags),
            examples=action_examples(own.examples_json),
            parameters=action_parameters(own.parameters_json),
            validate=validate,
            handler=self._handler(own.name, self._plugin.invoke_action),
        )

    def evaluator(self, own: Any) -> Any:  # noqa: ANN401 - a description; ElizaOS's own class
        async def validate(_runtime: object, message: object, state: object = None) -> bool:
            return await self._plugin.validate_evaluator(own.name, memory_of(message), state_of(state), self._options)

        return self._types.Evaluator(
            name=own.name,
            description=own.description,
            similes=list(own.similes),
            always_run=own.always_run,
            examples=evaluator_examples(own.examples_json),
            validate=validate,
            handler=self._handler(own.name, self._plugin.invoke_evaluator),
        )

    def provider(self, own: Any) -> Any:  # noqa: ANN401 - a description; ElizaOS's own class
        async def get(_runtime: object, message: object, state: object = None) -> Any:  # noqa: ANN401
            answer = await self._plugin.get_provider(own.name, memory_of(message), state_of(state), self._options)
            return told(self._types.ProviderResult(), answer)

        return self._types.Provider(
            name=own.name,
            description=own.description,
            dynamic=own.dynamic,
            position=own.position,
            private=own.private,
            get=get,
        )

    def service(self, type_: str) -> type[Any]:
        plugin, options = self._plugin, self._options
        base: Any = import_module("elizaos.types.service").Service

        class Bridged(base):  # type: ignore[misc] # ElizaOS's own class
            service_type = type_
            capability_description = type_

            @classmethod
            async def start(cls, runtime: object) -> Any:  # noqa: ANN401 - of ElizaOS
                """Starts the plugin's service."""
                await plugin.start_service(type_, options)
                return cls(runtime)

            async def stop(self) -> None:
                """Stops the plugin's service."""
                await plugin.stop_service(type_, options)

        return Bridged

    def route(self, own: Any) -> Any:  # noqa: ANN401 - a description; ElizaOS's own class
        async def handle(request: Any, response: Any, _runtime: object) -> None:  # noqa: ANN401
            body = request.body
            answer = await self._plugin.handle_route(
                own.path,
                own.method,
                params={name: str(value) for name, value in (request.params or {}).items()},
                query=_pairs(request.query),
                headers=_pairs(request.headers),
                body=_bytes(body),
                options=self._options,
            )
            response.status(answer.status)
            for name, value in answer.headers:
                response.set_header(name, value)
            response.send(answer.body).end()

        return _route_class()(
            type=own.method,
            path=own.path,
            name=own.name or None,
            public=own.public,
            is_multipart=own.multipart,
            handler=handle,
        )

    def event(self, type_: str) -> Callable[[object], Awaitable[None]]:
        async def handle(payload: object) -> None:
            await self._plugin.handle_event(type_, json_of(payload), self._options)

        return handle

    def model(self, type_: str) -> Callable[[object, object], Awaitable[Json]]:
        async def generate(_runtime: object, params: object) -> Json:
            return await self._plugin.generate(type_, json_of(params), lambda _: None)

        return generate

    def streaming_model(self, type_: str) -> Callable[[object, object], AsyncIterator[str]]:
        def generate(_runtime: object, params: object) -> AsyncIterator[str]:
            return pieces(lambda on_text: self._plugin.generate(type_, json_of(params), on_text))

        return generate

    def _handler(self, name: str, invoke: Callable[..., Awaitable[ActionResult]]) -> Callable[..., Awaitable[Any]]:
        async def handle(
            _runtime: object,
            message: object,
            state: object = None,
            given: object = None,
            callback: Callable[[Any], Awaitable[object]] | None = None,
            responses: Iterable[object] | None = None,
        ) -> Any:  # noqa: ANN401 - ElizaOS's own class
            saying: list[asyncio.Future[object]] = []

            def say(content: Content) -> None:
                # Begun as it comes, so that a long action is heard on its way.
                if callback is not None:
                    saying.append(asyncio.ensure_future(callback(their_content(content))))

            args = InvokeArguments(
                message=memory_of(message),
                state=state_of(state),
                options=options_of(given),
                responses=[memory_of(one) for one in responses or ()],
                on_content=say,
            )
            try:
                result = await invoke(name, args, self._options)
            finally:
                await asyncio.gather(*saying)
            answer = self._types.ActionResult(success=result.success)
            if result.error is not None:
                answer.error = result.error
            return told(answer, result)

        return handle


def _route_class() -> Any:  # noqa: ANN401 - ElizaOS's own class
    """Of its models the one of routes waits for whoever uses it first to say what a runtime is."""
    route: Any = import_module("elizaos.types.plugin").Route
    if not route.__pydantic_complete__:
        route.model_rebuild(_types_namespace={"IAgentRuntime": import_module("elizaos.types.runtime").IAgentRuntime})
    return route


def _streaming(model: str) -> str:
    """The type by which ElizaOS asks for a model's pieces."""
    return model if model.endswith("_STREAM") else f"{model}_STREAM"


def _pairs(fields: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """Query parameters or headers, of which one may have several values."""
    return [
        (name, str(one))
        for name, value in (fields or {}).items()
        if value is not None
        for one in (value if isinstance(value, list) else [value])
    ]


def _bytes(body: object) -> bytes:
    if body is None:
        return b""
    if isinstance(body, bytes | str):
        return body.encode() if isinstance(body, str) else body
    return json.dumps(json_of(body)).encode()
