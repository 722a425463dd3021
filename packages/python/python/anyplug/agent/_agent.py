"""The agent as its plugins see it: what they may ask of their host, each by a capability."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from anyplug_generated.anyplug.agent.v1.host_anyplug import (
    AgentEvent,
    AgentMemory,
    AgentMemoryClient,
    AgentModel,
    AgentSettings,
    AgentState,
)

from .._code import Code
from .._context import Context
from .._error import AnyplugError
from .._log import LogLevel
from ._json import Json, parse_json, print_json
from ._messages import memory_message, memory_of, state_of
from ._values import Memory, State

__all__ = (
    "Agent",
    "CallingAgent",
    "InitializingAgent",
    "Memories",
    "OnText",
    "RegisteringAgent",
    "drop_text",
    "without_result",
)

OnText = Callable[[str], object]
"""Takes pieces of text as they come."""


class Memories(Protocol):
    """The memories of an agent."""

    async def create(self, memory: Memory, table: str = "") -> str:
        """Keeps a memory, and returns its id: a new one when it had none. The table is "messages" by default.

        Raises AnyplugError (ALREADY_EXISTS) when there is one of that id.
        """
        ...

    async def get(self, id: str) -> Memory:  # noqa: A002 - as in the schema
        """Returns the memory. Raises AnyplugError (NOT_FOUND) when there is none of that id."""
        ...

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
        """Returns memories, the newest first: ``count`` at most, 100 by default.

        ``start`` and ``end`` are milliseconds since 1970-01-01 UTC, both inclusive.
        """
        ...

    async def search(
        self,
        embedding: Sequence[float],
        *,
        table: str = "",
        room_id: str = "",
        count: int = 0,
        threshold: float | None = None,
    ) -> Sequence[Memory]:
        """Returns memories, the nearest first, by the cosine of the embeddings: ``count`` at most, 10 by default.

        ``threshold``: only those at least so near, -1 to 1.
        """
        ...

    async def update(self, memory: Memory) -> None:
        """Puts the memory in the place of the one with its id. Raises AnyplugError (NOT_FOUND) when there is none."""
        ...

    async def delete(self, id: str) -> None:  # noqa: A002 - as in the schema
        """Forgets a memory. One that is not there is no error."""
        ...


class Agent(Protocol):
    """The agent, for the time of one call. What was not granted is PERMISSION_DENIED."""

    @property
    def memories(self) -> Memories:
        """What the agent remembers. Needs "agent.memory"."""
        ...

    async def get_setting(self, key: str) -> Json:
        """Returns the setting, or None. Needs "agent.settings"."""
        ...

    async def compose_state(
        self, message: Memory, *, include: Iterable[str] = (), only_included: bool = False
    ) -> State:
        """Returns what the providers say about a message. Needs "agent.state".

        ``include``: names of providers to ask beside those that are neither dynamic nor private, or alone.
        """
        ...

    async def use_model(self, model: str, params: Json, on_text: OnText = ...) -> Json:
        """Runs a model and returns its answer; ``on_text`` takes the pieces as they come. Needs "agent.model"."""
        ...

    async def emit_event(self, type: str, payload: Json) -> None:  # noqa: A002 - as in the schema
        """Gives an event to all plugins that handle it, and waits for them. Needs "agent.events"."""
        ...

    def log(self, level: LogLevel, message: str, **fields: str) -> None:
        """Sends a record to the log of the agent."""
        ...


class RegisteringAgent(Agent, Protocol):
    """The agent, as it registers a plugin: who it is beside what it offers."""

    @property
    def id(self) -> str:
        """A UUID."""
        ...

    @property
    def name(self) -> str:
        """What it is called."""
        ...


def drop_text(_text: str) -> None:
    """Takes text that nobody wants."""


def without_result(what: str) -> AnyplugError:
    """Returns what is raised when a stream ended without the message that ends it."""
    return AnyplugError(Code.INTERNAL, f"{what} ended its stream without a result")


class CallingAgent:
    """The agent that made the call."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def memories(self) -> Memories:
        """What the agent remembers."""
        return _RemoteMemories(self._context)

    async def get_setting(self, key: str) -> Json:
        """Returns the setting, or None."""
        answer = await self._context.client(AgentSettings).get_setting(key=key)
        return parse_json(answer.value_json, "value_json")

    async def compose_state(
        self, message: Memory, *, include: Iterable[str] = (), only_included: bool = False
    ) -> State:
        """Returns what the providers say about a message."""
        client = self._context.client(AgentState)
        answer = await client.compose_state(
            message=memory_message(message), include=list(include), only_included=only_included
        )
        return state_of(answer.state)

    async def use_model(self, model: str, params: Json, on_text: OnText = drop_text) -> Json:
        """Runs a model and returns its answer."""
        client = self._context.client(AgentModel)
        async with client.use_model(model=model, params_json=print_json(params, "params")) as events:
            async for event in events:
                if event.text is not None:
                    on_text(event.text)
                elif event.result_json is not None:
                    return parse_json(event.result_json, "result_json")
        raise without_result(f"the model {model}")

    async def emit_event(self, type: str, payload: Json) -> None:  # noqa: A002 - as in the schema
        """Gives an event to all plugins that handle it, and waits for them."""
        await self._context.client(AgentEvent).emit_event(type=type, payload_json=print_json(payload, "payload"))

    def log(self, level: LogLevel, message: str, **fields: str) -> None:
        """Sends a record to the log of the agent."""
        self._context.log(level, message, **fields)


class InitializingAgent(CallingAgent):
    """The agent that initializes a plugin."""

    def __init__(self, context: Context, id: str, name: str) -> None:  # noqa: A002 - as in the schema
        super().__init__(context)
        self.id = id
        self.name = name


class _RemoteMemories:
    """The memories of the agent that made the call."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def _client(self) -> AgentMemoryClient:
        return self._context.client(AgentMemory)

    async def create(self, memory: Memory, table: str = "") -> str:
        return (await self._client.create_memory(memory=memory_message(memory), table=table)).id

    async def get(self, id: str) -> Memory:  # noqa: A002 - as in the schema
        return memory_of((await self._client.get_memory(id=id)).memory)

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
        answer = await self._client.list_memories(
            table=table, room_id=room_id, entity_id=entity_id, count=count, start_ms=start, end_ms=end
        )
        return [memory_of(memory) for memory in answer.memories]

    async def search(
        self,
        embedding: Sequence[float],
        *,
        table: str = "",
        room_id: str = "",
        count: int = 0,
        threshold: float | None = None,
    ) -> Sequence[Memory]:
        answer = await self._client.search_memories(
            embedding=[*embedding], table=table, room_id=room_id, count=count, threshold=threshold
        )
        return [memory_of(memory) for memory in answer.memories]

    async def update(self, memory: Memory) -> None:
        await self._client.update_memory(memory=memory_message(memory))

    async def delete(self, id: str) -> None:  # noqa: A002 - as in the schema
        await self._client.delete_memory(id=id)
