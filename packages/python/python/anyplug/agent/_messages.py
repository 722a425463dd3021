"""The values of an agent as messages, both ways."""

from __future__ import annotations

import math

from anyplug_generated.anyplug.agent import v1 as wire

from ._json import JsonObject, parse_list, parse_object, print_json
from ._values import ActionResult, Content, Memory, ProviderResult, State

__all__ = (
    "content_message",
    "content_of",
    "memory_message",
    "memory_of",
    "provider_message",
    "provider_result_of",
    "result_message",
    "result_of",
    "state_message",
    "state_of",
)


def content_message(content: Content) -> wire.Content:
    """Returns the message of a content."""
    return wire.Content(
        text=content.text,
        thought=content.thought,
        actions=list(content.actions or ()),
        providers=list(content.providers or ()),
        source=content.source,
        target=content.target,
        url=content.url,
        in_reply_to=content.in_reply_to,
        channel_type=content.channel_type,
        attachments_json=_print(content.attachments, "content.attachments"),
        data_json=_print(content.data, "content.data"),
        extra_json=_print_extra(content.extra, "content"),
    )


def content_of(message: wire.Content | None) -> Content:
    """Returns the content of a message."""
    if message is None:
        return Content()
    return Content(
        text=message.text,
        thought=message.thought,
        actions=message.actions or None,
        providers=message.providers or None,
        source=message.source,
        target=message.target,
        url=message.url,
        in_reply_to=message.in_reply_to,
        channel_type=message.channel_type,
        attachments=parse_list(message.attachments_json, "content.attachments_json"),
        data=parse_object(message.data_json, "content.data_json"),
        extra=parse_object(message.extra_json, "content.extra_json") or {},
    )


def memory_message(memory: Memory) -> wire.Memory:
    """Returns the message of a memory."""
    return wire.Memory(
        id=memory.id or "",
        entity_id=memory.entity_id or "",
        agent_id=memory.agent_id or "",
        room_id=memory.room_id or "",
        world_id=memory.world_id or "",
        created_at_ms=None if memory.created_at is None else math.trunc(memory.created_at),
        content=content_message(memory.content),
        embedding=list(memory.embedding or ()),
        unique=memory.unique,
        similarity=memory.similarity,
        metadata_json=_print(memory.metadata, "metadata"),
        extra_json=_print_extra(memory.extra, "memory"),
    )


def memory_of(message: wire.Memory | None) -> Memory:
    """Returns the memory of a message."""
    if message is None:
        return Memory()
    return Memory(
        id=message.id or None,
        entity_id=message.entity_id or None,
        agent_id=message.agent_id or None,
        room_id=message.room_id or None,
        world_id=message.world_id or None,
        created_at=message.created_at_ms,
        content=content_of(message.content),
        embedding=message.embedding or None,
        unique=message.unique,
        similarity=message.similarity,
        metadata=parse_object(message.metadata_json, "memory.metadata_json"),
        extra=parse_object(message.extra_json, "memory.extra_json") or {},
    )


def state_message(state: State) -> wire.State:
    """Returns the message of a state."""
    return wire.State(
        text=state.text,
        values_json=print_json(state.values, "state.values"),
        data_json=print_json(state.data, "state.data"),
        extra_json=_print_extra(state.extra, "state"),
    )


def state_of(message: wire.State | None) -> State:
    """Returns the state of a message."""
    if message is None:
        return State()
    return State(
        text=message.text,
        values=parse_object(message.values_json, "state.values_json") or {},
        data=parse_object(message.data_json, "state.data_json") or {},
        extra=parse_object(message.extra_json, "state.extra_json") or {},
    )


def result_message(result: ActionResult) -> wire.ActionResult:
    """Returns the message of a result."""
    return wire.ActionResult(
        success=result.success,
        text=result.text,
        error=result.error,
        values_json=_print(result.values, "result.values"),
        data_json=_print(result.data, "result.data"),
        extra_json=_print_extra(result.extra, "result"),
    )


def result_of(message: wire.ActionResult) -> ActionResult:
    """Returns the result of a message."""
    return ActionResult(
        success=message.success,
        text=message.text,
        values=parse_object(message.values_json, "result.values_json"),
        data=parse_object(message.data_json, "result.data_json"),
        error=message.error,
        extra=parse_object(message.extra_json, "result.extra_json") or {},
    )


def provider_message(result: ProviderResult) -> wire.ProviderResult:
    """Returns the message of what a provider tells."""
    return wire.ProviderResult(
        text=result.text,
        values_json=_print(result.values, "result.values"),
        data_json=_print(result.data, "result.data"),
    )


def provider_result_of(message: wire.ProviderResult | None) -> ProviderResult:
    """Returns what a provider tells."""
    if message is None:
        return ProviderResult()
    return ProviderResult(
        text=message.text,
        values=parse_object(message.values_json, "result.values_json"),
        data=parse_object(message.data_json, "result.data_json"),
    )


def _print(value: object, where: str) -> str:
    return "" if value is None else print_json(value, where)


def _print_extra(extra: JsonObject, where: str) -> str:
    return print_json(extra, where) if extra else ""
