"""What an agent serves to its plugins. A host gives it to `load_plugin` as ``services``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from anyplug_generated.anyplug.agent import v1 as wire
from anyplug_generated.anyplug.agent.v1.host_anyplug import (
    AgentEvent,
    AgentEventHandler,
    AgentMemory,
    AgentMemoryHandler,
    AgentModel,
    AgentModelHandler,
    AgentSettings,
    AgentSettingsHandler,
    AgentState,
    AgentStateHandler,
)

from .._context import Context
from .._handler import Implementation, implement
from ._agent import Memories, OnText
from ._json import Json, parse_json, print_json
from ._messages import memory_message, memory_of, state_message
from ._streamed import streamed
from ._values import Memory, State

__all__ = ("AgentBehind", "agent_services")


class AgentBehind(Protocol):
    """What the services are made of."""

    @property
    def memories(self) -> Memories: ...
    def get_setting(self, key: str) -> Json: ...
    async def compose_state(
        self,
        message: Memory,
        *,
        include: Iterable[str] = (),
        only_included: bool = False,
        within: Context | None = None,
    ) -> State: ...
    async def use_model(
        self, model: str, params: Json, on_text: OnText = ..., *, within: Context | None = None
    ) -> Json: ...
    async def emit_event(self, type: str, payload: Json, *, within: Context | None = None) -> None: ...  # noqa: A002


def agent_services(agent: AgentBehind) -> tuple[Implementation, ...]:
    """Returns the implementations of the agent's services, in the order of the schema."""
    return (
        implement(AgentSettings, _Settings(agent)),
        implement(AgentState, _State(agent)),
        implement(AgentMemory, _Memory(agent)),
        implement(AgentModel, _Model(agent)),
        implement(AgentEvent, _Event(agent)),
    )


class _Settings(AgentSettingsHandler):
    def __init__(self, agent: AgentBehind) -> None:
        self._agent = agent

    async def get_setting(self, request: wire.GetSettingRequest, context: Context, /) -> wire.GetSettingResponse:
        value = self._agent.get_setting(request.key)
        return wire.GetSettingResponse(value_json="" if value is None else print_json(value, "the setting"))


class _State(AgentStateHandler):
    def __init__(self, agent: AgentBehind) -> None:
        self._agent = agent

    async def compose_state(self, request: wire.ComposeStateRequest, context: Context, /) -> wire.ComposeStateResponse:
        state = await self._agent.compose_state(
            memory_of(request.message), include=request.include, only_included=request.only_included, within=context
        )
        return wire.ComposeStateResponse(state=state_message(state))


class _Memory(AgentMemoryHandler):
    def __init__(self, agent: AgentBehind) -> None:
        self._memories = agent.memories

    async def create_memory(self, request: wire.CreateMemoryRequest, context: Context, /) -> wire.CreateMemoryResponse:
        return wire.CreateMemoryResponse(id=await self._memories.create(memory_of(request.memory), request.table))

    async def get_memory(self, request: wire.GetMemoryRequest, context: Context, /) -> wire.GetMemoryResponse:
        return wire.GetMemoryResponse(memory=memory_message(await self._memories.get(request.id)))

    async def list_memories(self, request: wire.ListMemoriesRequest, context: Context, /) -> wire.ListMemoriesResponse:
        found = await self._memories.list(
            table=request.table,
            room_id=request.room_id,
            entity_id=request.entity_id,
            count=request.count,
            start=request.start_ms,
            end=request.end_ms,
        )
        return wire.ListMemoriesResponse(memories=[memory_message(memory) for memory in found])

    async def search_memories(
        self, request: wire.SearchMemoriesRequest, context: Context, /
    ) -> wire.SearchMemoriesResponse:
        found = await self._memories.search(
            request.embedding,
            table=request.table,
            room_id=request.room_id,
            count=request.count,
            threshold=request.threshold,
        )
        return wire.SearchMemoriesResponse(memories=[memory_message(memory) for memory in found])

    async def update_memory(self, request: wire.UpdateMemoryRequest, context: Context, /) -> wire.UpdateMemoryResponse:
        await self._memories.update(memory_of(request.memory))
        return wire.UpdateMemoryResponse()

    async def delete_memory(self, request: wire.DeleteMemoryRequest, context: Context, /) -> wire.DeleteMemoryResponse:
        await self._memories.delete(request.id)
        return wire.DeleteMemoryResponse()


class _Model(AgentModelHandler):
    def __init__(self, agent: AgentBehind) -> None:
        self._agent = agent

    async def use_model(
        self, request: wire.UseModelRequest, context: Context, /
    ) -> AsyncIterator[wire.UseModelResponse]:
        params = parse_json(request.params_json, "params_json")

        async def work(give: Callable[[wire.UseModelResponse], None]) -> wire.UseModelResponse:
            def on_text(text: str) -> None:
                give(wire.UseModelResponse(text=text))

            result = await self._agent.use_model(request.model, params, on_text, within=context)
            return wire.UseModelResponse(result_json=print_json(result, "result"))

        async for event in streamed(work):
            yield event


class _Event(AgentEventHandler):
    def __init__(self, agent: AgentBehind) -> None:
        self._agent = agent

    async def emit_event(self, request: wire.EmitEventRequest, context: Context, /) -> wire.EmitEventResponse:
        await self._agent.emit_event(request.type, parse_json(request.payload_json, "payload_json"), within=context)
        return wire.EmitEventResponse()
