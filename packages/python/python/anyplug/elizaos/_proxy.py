"""An agent, as the runtime that a plugin of ElizaOS expects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from .._code import Code
from .._error import AnyplugError
from .._log import LogLevel
from ..agent import Agent, Json
from ._pieces import pieces
from ._values import json_of, memory_of, their_memory, their_message, their_state

__all__ = ("AgentAsRuntime", "KnownToAll")


@dataclass(slots=True, kw_only=True)
class KnownToAll:
    """What a plugin keeps between calls."""

    agent_id: str = ""
    agent_name: str = "agent"
    settings: dict[str, Json] = field(default_factory=dict)
    """What ``get_setting`` returns."""
    services: dict[str, Any] = field(default_factory=dict)
    """The plugin's own services that run, by their type."""


class AgentAsRuntime:
    """The runtime for the time of one call. What an agent has nothing for is UNIMPLEMENTED when it is called."""

    def __init__(self, agent: Agent, known: KnownToAll) -> None:
        self._agent = agent
        self._known = known
        self.logger = _Logger(agent)

    @property
    def agent_id(self) -> str:
        return self._known.agent_id

    @property
    def character(self) -> Any:  # noqa: ANN401 - a message of ElizaOS
        return their_message("agent", "Character", {"name": self._known.agent_name})

    def get_setting(self, key: str) -> Json:
        return self._known.settings.get(key)

    def get_service(self, service: str) -> Any:  # noqa: ANN401 - of the plugin
        return self._known.services.get(service)

    def has_service(self, service_type: str) -> bool:
        return service_type in self._known.services

    async def compose_state(
        self,
        message: object,
        include_list: list[str] | None = None,
        only_include: bool = False,
        skip_cache: bool = False,
    ) -> Any:  # noqa: ANN401 - a message of ElizaOS
        state = await self._agent.compose_state(
            memory_of(message), include=include_list or (), only_included=only_include
        )
        return their_state(state)

    async def use_model(
        self,
        model_type: object,
        params: Mapping[str, object] | None = None,
        provider: str | None = None,
        **more: object,
    ) -> Json:
        return await self._agent.use_model(_model(model_type), json_of({**(params or {}), **more}))

    def use_model_stream(
        self,
        model_type: object,
        params: Mapping[str, object] | None = None,
        provider: str | None = None,
        **more: object,
    ) -> AsyncIterator[str]:
        model, given = _model(model_type), json_of({**(params or {}), **more})

        async def generate(on_text: Callable[[str], object]) -> Json:
            try:
                return await self._agent.use_model(model, given, on_text)
            except AnyplugError as error:
                # An agent's models stream by their plain name.
                plain = model.removesuffix("_STREAM")
                if error.code is not Code.NOT_FOUND or plain == model:
                    raise
                return await self._agent.use_model(plain, given, on_text)

        return pieces(generate)

    async def emit_event(self, event: str | list[str], params: object) -> None:
        for one in [event] if isinstance(event, str) else event:
            await self._agent.emit_event(str(getattr(one, "value", one)), json_of(params))

    async def create_memory(
        self,
        memory: object = None,
        table_name: str | None = None,
        unique: bool | None = None,
        **more: object,
    ) -> str:
        given = memory if memory is not None else more
        made = memory_of(given)
        return await self._agent.memories.create(made if unique is None else _unique(made, unique), table_name or "")

    async def get_memory_by_id(self, id: object) -> Any:  # noqa: A002, ANN401 - a message of ElizaOS
        try:
            return their_memory(await self._agent.memories.get(str(id)))
        except AnyplugError as error:
            if error.code is Code.NOT_FOUND:
                return None
            raise

    async def get_memories(self, params: Mapping[str, Any] | None = None, **more: Any) -> list[Any]:  # noqa: ANN401
        found = await self._agent.memories.list(**_query({**(params or {}), **more}))
        return [their_memory(one) for one in found]

    async def search_memories(self, params: Mapping[str, Any]) -> list[Any]:
        query = _query(params)
        found = await self._agent.memories.search(
            list(params["embedding"]),
            table=query["table"],
            room_id=query["room_id"],
            count=query["count"],
            threshold=params.get("match_threshold"),
        )
        return [their_memory(one) for one in found]

    async def update_memory(self, memory: object) -> bool:
        await self._agent.memories.update(memory_of(memory))
        return True

    async def delete_memory(self, memory_id: object) -> None:
        await self._agent.memories.delete(str(memory_id))

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        if name.startswith("_") or name in ("DESCRIPTOR", "model_dump"):
            raise AttributeError(name)

        def missing(*_: object, **__: object) -> NoReturn:
            message = f"the agent has no runtime.{name}: anyplug.agent.v1 has nothing for it"
            raise AnyplugError(Code.UNIMPLEMENTED, message)

        return missing


class _Logger:
    """The log of the agent, with the methods of ElizaOS's logger."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def debug(self, message: object, *_: object, **fields: object) -> None:
        self._log(LogLevel.DEBUG, message, fields)

    def info(self, message: object, *_: object, **fields: object) -> None:
        self._log(LogLevel.INFO, message, fields)

    def warning(self, message: object, *_: object, **fields: object) -> None:
        self._log(LogLevel.WARN, message, fields)

    warn = warning

    def error(self, message: object, *_: object, **fields: object) -> None:
        self._log(LogLevel.ERROR, message, fields)

    def _log(self, level: LogLevel, message: object, fields: Mapping[str, object]) -> None:
        self._agent.log(level, str(message), **{name: str(value) for name, value in fields.items()})


def _model(model_type: object) -> str:
    return str(getattr(model_type, "value", model_type))


def _unique(memory: Any, unique: bool) -> Any:  # noqa: ANN401 - a memory
    return type(memory).from_json({**memory.to_json(), "unique": unique})


def _query(given: Mapping[str, Any]) -> dict[str, Any]:
    """ElizaOS writes the members of a query in one case or the other."""

    def member(*names: str) -> Any:  # noqa: ANN401 - JSON
        return next((given[name] for name in names if given.get(name) is not None), None)

    return {
        "table": str(member("tableName", "table_name") or ""),
        "room_id": str(member("roomId", "room_id") or ""),
        "entity_id": str(member("entityId", "entity_id") or ""),
        "count": int(member("count", "limit") or 0),
        "start": member("start"),
        "end": member("end"),
    }
