"""A plugin of ours in ElizaOS's own Python runtime."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from .._code import Code
from .._context import Context
from .._error import AnyplugError
from .._handler import Implementation
from .._options import CallOptions
from ..agent import (
    ActionResult,
    AgentPeer,
    Content,
    InvokeArguments,
    Json,
    Memories,
    Memory,
    ProviderResult,
    Registration,
    State,
    agent_services,
)

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
        self.services: Sequence[Implementation] = agent_services(_BehindElizaos(self._known))
        """What the plugin may call: give it to `load_plugin` as ``services``."""

    async def plugin(self, peer: AgentPeer) -> Any:  # noqa: ANN401 - ElizaOS's own class
        """Asks the plugin what it has, and returns it as a plugin of ElizaOS (``elizaos.types.Plugin``)."""
        registration = await Registration.of(peer, self._options)
        own = registration.description

        async def init(config: Mapping[str, Json], runtime: Any) -> None:  # noqa: ANN401 - ElizaOS's own class
            self._runtime = runtime
            await registration.init(str(runtime.agent_id), "elizaos", config, self._options)

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
            events={type_: [parts.event(type_)] for type_ in own.events},
            models={type_: parts.model(type_) for type_ in own.models},
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
            return await self._plugin.validate_action(own.name, _memory(message), _state(state), self._options)

        return self._types.Action(
            name=own.name,
            description=own.description,
            similes=list(own.similes),
            priority=own.priority,
            tags=list(own.tags),
            validate=validate,
            handler=self._handler(own.name, self._plugin.invoke_action),
        )

    def evaluator(self, own: Any) -> Any:  # noqa: ANN401 - a description; ElizaOS's own class
        async def validate(_runtime: object, message: object, state: object = None) -> bool:
            return await self._plugin.validate_evaluator(own.name, _memory(message), _state(state), self._options)

        return self._types.Evaluator(
            name=own.name,
            description=own.description,
            similes=list(own.similes),
            always_run=own.always_run,
            validate=validate,
            handler=self._handler(own.name, self._plugin.invoke_evaluator),
        )

    def provider(self, own: Any) -> Any:  # noqa: ANN401 - a description; ElizaOS's own class
        async def get(_runtime: object, message: object, state: object = None) -> Any:  # noqa: ANN401
            answer = await self._plugin.get_provider(own.name, _memory(message), _state(state), self._options)
            return _told(self._types.ProviderResult(), answer)

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

    def event(self, type_: str) -> Callable[[object], Awaitable[None]]:
        async def handle(payload: object) -> None:
            await self._plugin.handle_event(type_, _json(payload), self._options)

        return handle

    def model(self, type_: str) -> Callable[[object, object], Awaitable[Json]]:
        async def generate(_runtime: object, params: object) -> Json:
            return await self._plugin.generate(type_, _json(params), lambda _: None)

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
                    saying.append(asyncio.ensure_future(callback(_content(content))))

            args = InvokeArguments(
                message=_memory(message),
                state=_state(state),
                options=_json(given) or {},
                responses=[_memory(one) for one in responses or ()],
                on_content=say,
            )
            try:
                result = await invoke(name, args, self._options)
            finally:
                await asyncio.gather(*saying)
            told = self._types.ActionResult(success=result.success)
            if result.error is not None:
                told.error = result.error
            return _told(told, result)

        return handle


class _BehindElizaos:
    """The runtime, as what is behind the services that our plugins call."""

    def __init__(self, runtime: Callable[[], Any]) -> None:
        self._runtime = runtime
        self.memories: Memories = _ElizaosMemories(runtime)

    def get_setting(self, key: str) -> Json:
        return _json(self._runtime().get_setting(key))

    async def compose_state(
        self,
        message: Memory,
        *,
        include: Iterable[str] = (),
        only_included: bool = False,
        within: Context | None = None,
    ) -> State:
        return _state(await self._runtime().compose_state(_their_memory(message), [*include], only_included, True))

    async def use_model(
        self, model: str, params: Json, on_text: Callable[[str], object] = str, *, within: Context | None = None
    ) -> Json:
        return _json(await self._runtime().use_model(model, params))

    async def emit_event(self, type: str, payload: Json, *, within: Context | None = None) -> None:  # noqa: A002
        await self._runtime().emit_event(type, payload)


class _ElizaosMemories:
    """The memories of the runtime, which are those of its database."""

    def __init__(self, runtime: Callable[[], Any]) -> None:
        self._runtime = runtime

    async def create(self, memory: Memory, table: str = "") -> str:
        return str(await self._runtime().create_memory(_their_memory(memory), table or "messages", memory.unique))

    async def get(self, id: str) -> Memory:  # noqa: A002 - as in the schema
        found = await self._runtime().get_memory_by_id(id)
        if found is None:
            raise AnyplugError(Code.NOT_FOUND, f"there is no memory of id {json.dumps(id)}")
        return _memory(found)

    async def list(
        self,
        *,
        table: str = "",
        room_id: str = "",
        entity_id: str = "",
        count: int = 0,
        start: int | None = None,
        end: int | None = None,
    ) -> Sequence[Memory]:
        query = {"roomId": room_id or None, "entityId": entity_id or None, "start": start, "end": end}
        asked = {name: value for name, value in query.items() if value is not None}
        found = await self._runtime().get_memories({"tableName": table or "messages", "count": count or 100, **asked})
        return [_memory(one) for one in found]

    async def search(
        self,
        embedding: Sequence[float],
        *,
        table: str = "",
        room_id: str = "",
        count: int = 0,
        threshold: float | None = None,
    ) -> Sequence[Memory]:
        query = {"roomId": room_id or None, "match_threshold": threshold}
        asked = {name: value for name, value in query.items() if value is not None}
        found = await self._runtime().search_memories(
            {"tableName": table or "messages", "count": count or 10, "embedding": [*embedding], **asked}
        )
        return [_memory(one) for one in found]

    async def update(self, memory: Memory) -> None:
        await self._runtime().update_memory(_their_memory(memory))

    async def delete(self, id: str) -> None:  # noqa: A002 - as in the schema
        await self._runtime().delete_memory(id)


def _told(message: Any, result: ActionResult | ProviderResult) -> Any:  # noqa: ANN401 - a message of ElizaOS
    """The result of ElizaOS with what ours says. Its free JSON is a Struct: numbers are doubles there."""
    if result.text is not None:
        message.text = result.text
    if result.values:
        message.values.update(dict(result.values))
    if result.data:
        message.data.update(dict(result.data))
    return message


def _content(content: Content) -> Any:  # noqa: ANN401 - a message of ElizaOS
    """Members that ElizaOS's content has no field for are in its data."""
    told = content.to_json()
    message = import_module("elizaos.types.primitives").Content()
    known = {field.json_name for field in message.DESCRIPTOR.fields}
    extra = {name: told.pop(name) for name in list(told) if name not in known}
    if extra:
        told["data"] = {**told.get("data", {}), **extra}
    return import_module("google.protobuf.json_format").ParseDict(told, message)


def _their_memory(memory: Memory) -> Any:  # noqa: ANN401 - a message of ElizaOS
    told = {name: value for name, value in memory.to_json().items() if name not in ("content", "metadata")}
    message = import_module("elizaos.types.memory").Memory()
    import_module("google.protobuf.json_format").ParseDict(told, message, ignore_unknown_fields=True)
    message.content.CopyFrom(_content(memory.content))
    return message


def _memory(value: object) -> Memory:
    told = _json(value)
    if isinstance(told, dict) and isinstance(told.get("createdAt"), str):
        # JSON of protobuf has numbers of 64 bits as text.
        told["createdAt"] = int(told["createdAt"])
    return Memory.from_json(told)


def _state(value: object) -> State:
    told = _json(value)
    if isinstance(told, dict):
        for name in ("values", "data"):
            # What ElizaOS's state has no field for is one level deeper there.
            inner = told.get(name)
            if isinstance(inner, dict):
                extra = inner.pop("extra", {})
                inner.update(extra)
    return State.from_json(told)


def _json(value: object) -> Json:
    """What there is of it in JSON, with the names that JSON has for the fields of messages."""
    if hasattr(value, "DESCRIPTOR"):
        return import_module("google.protobuf.json_format").MessageToDict(value)
    if hasattr(value, "model_dump"):
        return _json(value.model_dump(by_alias=True, exclude_none=True))
    if isinstance(value, Mapping):
        # A runtime or a function, which ElizaOS has among its options, stays here.
        return {str(name): _json(member) for name, member in value.items() if not _stays(member)}
    if isinstance(value, list | tuple):
        return [_json(member) for member in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _stays(value: object) -> bool:
    return inspect.isroutine(value) or hasattr(value, "register_plugin")
