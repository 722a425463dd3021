"""The runtime of ElizaOS, as what is behind the services that our plugins call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .._code import Code
from .._context import Context
from .._error import AnyplugError
from ..agent import Json, Memories, Memory, State
from ._values import json_of, memory_of, state_of, their_memory

__all__ = ("BehindElizaos",)


class BehindElizaos:
    """The runtime, as what is behind the services that our plugins call."""

    def __init__(self, runtime: Callable[[], Any]) -> None:
        self._runtime = runtime
        self.memories: Memories = _ElizaosMemories(runtime)

    def get_setting(self, key: str) -> Json:
        return json_of(self._runtime().get_setting(key))

    async def compose_state(
        self,
        message: Memory,
        *,
        include: Iterable[str] = (),
        only_included: bool = False,
        within: Context | None = None,
    ) -> State:
        return state_of(await self._runtime().compose_state(their_memory(message), [*include], only_included, True))

    async def use_model(
        self, model: str, params: Json, on_text: Callable[[str], object] = str, *, within: Context | None = None
    ) -> Json:
        if model.endswith("_STREAM"):
            # In ElizaOS for Python the models that stream have types of their own.
            pieces = []
            async for piece in self._runtime().use_model_stream(model, params):
                on_text(piece)
                pieces.append(piece)
            return "".join(pieces)
        return json_of(await self._runtime().use_model(model, params))

    async def emit_event(self, type: str, payload: Json, *, within: Context | None = None) -> None:  # noqa: A002
        await self._runtime().emit_event(type, payload)


class _ElizaosMemories:
    """The memories of the runtime, which are those of its database."""

    def __init__(self, runtime: Callable[[], Any]) -> None:
        self._runtime = runtime

    async def create(self, memory: Memory, table: str = "") -> str:
        return str(await self._runtime().create_memory(their_memory(memory), table or "messages", memory.unique))

    async def get(self, id: str) -> Memory:  # noqa: A002 - as in the schema
        found = await self._runtime().get_memory_by_id(id)
        if found is None:
            raise AnyplugError(Code.NOT_FOUND, f"there is no memory of id {json.dumps(id)}")
        return memory_of(found)

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
        return [memory_of(one) for one in found]

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
        return [memory_of(one) for one in found]

    async def update(self, memory: Memory) -> None:
        await self._runtime().update_memory(their_memory(memory))

    async def delete(self, id: str) -> None:  # noqa: A002 - as in the schema
        await self._runtime().delete_memory(id)
