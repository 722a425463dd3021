"""Where an agent keeps what it remembers."""

from __future__ import annotations

import json
import math
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

from .._code import Code
from .._error import AnyplugError
from ._values import Memory

__all__ = ("InMemoryMemories",)

_DEFAULT_TABLE = "messages"


class InMemoryMemories:
    """Memories in this process: they are gone with it. A search looks at each."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, Memory]] = {}
        """Table and memory by id, in the order in which they were kept."""

    async def create(self, memory: Memory, table: str = "") -> str:
        """Keeps a memory, and returns its id: a new one when it had none."""
        key = memory.id or str(uuid.uuid4())
        if key in self._kept:
            raise AnyplugError(Code.ALREADY_EXISTS, f"there is a memory of id {key}; update it")
        created_at = int(time.time() * 1000) if memory.created_at is None else memory.created_at
        self._kept[key] = (table or _DEFAULT_TABLE, replace(memory, id=key, created_at=created_at))
        return key

    async def get(self, id: str) -> Memory:  # noqa: A002 - as in the schema
        """Returns the memory. Raises AnyplugError (NOT_FOUND) when there is none of that id."""
        return self._find(id)[1]

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
        """Returns memories, the newest first."""
        found = [
            memory
            for memory in self._of(table, room_id)
            if (not entity_id or memory.entity_id == entity_id)
            and (start is None or _age(memory) >= start)
            and (end is None or _age(memory) <= end)
        ]
        # Of those of the same time the one that was kept last is the newest.
        found.reverse()
        found.sort(key=_age, reverse=True)
        return found[: count or 100]

    async def search(
        self,
        embedding: Sequence[float],
        *,
        table: str = "",
        room_id: str = "",
        count: int = 0,
        threshold: float | None = None,
    ) -> Sequence[Memory]:
        """Returns memories, the nearest first, by the cosine of the embeddings."""
        near = [
            (_cosine(embedding, memory.embedding), memory)
            for memory in self._of(table, room_id)
            if memory.embedding is not None and len(memory.embedding) == len(embedding)
        ]
        fitting = [one for one in near if threshold is None or one[0] >= threshold]
        fitting.sort(key=lambda one: -one[0])
        return [replace(memory, similarity=similarity) for similarity, memory in fitting[: count or 10]]

    async def update(self, memory: Memory) -> None:
        """Puts the memory in the place of the one with its id."""
        table, _ = self._find(memory.id or "")
        self._kept[memory.id or ""] = (table, memory)

    async def delete(self, id: str) -> None:  # noqa: A002 - as in the schema
        """Forgets a memory. One that is not there is no error."""
        self._kept.pop(id, None)

    def _of(self, table: str, room_id: str) -> Iterable[Memory]:
        wanted = table or _DEFAULT_TABLE
        of_table = (memory for own, memory in self._kept.values() if own == wanted)
        return (memory for memory in of_table if not room_id or memory.room_id == room_id)

    def _find(self, key: str) -> tuple[str, Memory]:
        found = self._kept.get(key)
        if found is None:
            raise AnyplugError(Code.NOT_FOUND, f"there is no memory of id {json.dumps(key)}")
        return found


def _age(memory: Memory) -> int:
    return memory.created_at or 0


def _cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """From -1 to 1; 0 when one of the two has no length."""
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    lengths = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(y * y for y in b))
    return dot / lengths if lengths else 0.0
