"""Memories, contents, states and results as Python has them. Members without a field of their own are in ``extra``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from ._json import Json, JsonObject, print_json
from ._kinds import FLAG, LIST, NUMBER, NUMBERS, OBJECT, TEXT, TEXTS, Kind, checked

__all__ = ("ActionResult", "Content", "Memory", "ProviderResult", "State", "Value")


class Value:
    """The base of the values: they are JSON objects of which some members have a field."""

    __slots__ = ()

    members: ClassVar[Mapping[str, tuple[str, Kind]]]
    """By the member's name in JSON: the field, and what must be in it."""
    what: ClassVar[str]

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON object, of which absent members are left out."""
        result = dict(getattr(self, "extra", {}))
        for name, (own, _) in self.members.items():
            value = getattr(self, own)
            if value is not None:
                result[name] = value
        return result

    @classmethod
    def _fields(cls, value: Json, path: str) -> dict[str, Any]:
        """The fields that a JSON object has. Null stands for absence."""
        present = checked(value, {name: kind for name, (_, kind) in cls.members.items()}, path)
        fields = {own: present.pop(name) for name, (own, _) in cls.members.items() if name in present}
        return {**fields, "extra": present}

    @classmethod
    def from_json(cls, value: Json, path: str = "") -> Self:
        """Returns the value of a JSON object, and an empty one for None.

        Raises AnyplugError (INVALID_ARGUMENT), which names the member that is wrong by its path.
        """
        return cls() if value is None else cls(**cls._fields(value, path or cls.what))


@dataclass(frozen=True, slots=True, kw_only=True)
class Content(Value):
    """What a memory says."""

    what: ClassVar[str] = "content"
    members: ClassVar[Mapping[str, tuple[str, Kind]]] = {
        "text": ("text", TEXT),
        "thought": ("thought", TEXT),
        "actions": ("actions", TEXTS),
        "providers": ("providers", TEXTS),
        "source": ("source", TEXT),
        "target": ("target", TEXT),
        "url": ("url", TEXT),
        "inReplyTo": ("in_reply_to", TEXT),
        "channelType": ("channel_type", TEXT),
        "attachments": ("attachments", LIST),
        "data": ("data", OBJECT),
    }

    text: str | None = None
    thought: str | None = None
    actions: Sequence[str] | None = None
    """Names of actions that were chosen."""
    providers: Sequence[str] | None = None
    source: str | None = None
    target: str | None = None
    url: str | None = None
    in_reply_to: str | None = None
    """The id of the memory that this one answers."""
    channel_type: str | None = None
    attachments: Sequence[Json] | None = None
    data: JsonObject | None = None
    extra: JsonObject = field(default_factory=dict)
    """Members that the schema does not name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory(Value):
    """Something that was said or done, in a room, as agents remember it."""

    what: ClassVar[str] = "memory"
    members: ClassVar[Mapping[str, tuple[str, Kind]]] = {
        "id": ("id", TEXT),
        "entityId": ("entity_id", TEXT),
        "agentId": ("agent_id", TEXT),
        "roomId": ("room_id", TEXT),
        "worldId": ("world_id", TEXT),
        "createdAt": ("created_at", NUMBER),
        "embedding": ("embedding", NUMBERS),
        "unique": ("unique", FLAG),
        "similarity": ("similarity", NUMBER),
        "metadata": ("metadata", OBJECT),
    }

    id: str | None = None
    """A UUID, as are all ids."""
    entity_id: str | None = None
    agent_id: str | None = None
    room_id: str | None = None
    world_id: str | None = None
    created_at: int | None = None
    """Milliseconds since 1970-01-01 UTC."""
    content: Content = field(default_factory=Content)
    embedding: Sequence[float] | None = None
    unique: bool | None = None
    """Whether nothing alike may be kept beside it."""
    similarity: float | None = None
    """How near it is to what was searched for: -1 to 1. Only in answers to a search."""
    metadata: JsonObject | None = None
    extra: JsonObject = field(default_factory=dict)
    """Members that the schema does not name."""

    def to_json(self) -> dict[str, Json]:
        """Returns the JSON object, of which absent members are left out."""
        return {**Value.to_json(self), "content": self.content.to_json()}

    @classmethod
    def _fields(cls, value: Json, path: str) -> dict[str, Any]:
        fields = super(Memory, cls)._fields(value, path)
        extra: dict[str, Any] = fields["extra"]
        content = extra.pop("content", {})
        # Some write a content that is only text as that text.
        inner = {"text": content} if isinstance(content, str) else content
        if "created_at" in fields:
            fields["created_at"] = int(fields["created_at"])
        return {**fields, "content": Content.from_json(inner, f"{path}.content")}


@dataclass(frozen=True, slots=True, kw_only=True)
class State(Value):
    """What an agent knows when it decides: the texts and values of its providers."""

    what: ClassVar[str] = "state"
    members: ClassVar[Mapping[str, tuple[str, Kind]]] = {
        "text": ("text", TEXT),
        "values": ("values", OBJECT),
        "data": ("data", OBJECT),
    }

    text: str = ""
    values: JsonObject = field(default_factory=dict)
    data: JsonObject = field(default_factory=dict)
    extra: JsonObject = field(default_factory=dict)
    """Members that the schema does not name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult(Value):
    """How an action or an evaluator ended."""

    what: ClassVar[str] = "result"
    members: ClassVar[Mapping[str, tuple[str, Kind]]] = {
        "success": ("success", None),
        "text": ("text", TEXT),
        "values": ("values", OBJECT),
        "data": ("data", OBJECT),
        "error": ("error", None),
    }

    success: bool = True
    text: str | None = None
    values: JsonObject | None = None
    """Merged into the state that later actions see."""
    data: JsonObject | None = None
    error: str | None = None
    """Why there was no success."""
    extra: JsonObject = field(default_factory=dict)
    """Members that the schema does not name."""

    @classmethod
    def _fields(cls, value: Json, path: str) -> dict[str, Any]:
        fields = super(ActionResult, cls)._fields(value, path)
        fields["success"] = fields.get("success") is not False
        if not isinstance(fields.get("error", ""), str):
            fields["error"] = print_json(fields["error"], f"{path}.error")
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderResult(Value):
    """What a provider tells."""

    what: ClassVar[str] = "result"
    members: ClassVar[Mapping[str, tuple[str, Kind]]] = {
        "text": ("text", TEXT),
        "values": ("values", OBJECT),
        "data": ("data", OBJECT),
    }

    text: str | None = None
    values: JsonObject | None = None
    data: JsonObject | None = None

    @classmethod
    def _fields(cls, value: Json, path: str) -> dict[str, Any]:
        fields = super(ProviderResult, cls)._fields(value, path)
        del fields["extra"]
        return fields
