"""The values of ElizaOS's Python runtime, messages of protobuf, as ours and back. Its package is imported late."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..agent import ActionResult, Content, Json, Memory, ProviderResult, State

__all__ = (
    "json_of",
    "memory_of",
    "options_of",
    "state_of",
    "their_content",
    "their_memory",
    "their_message",
    "their_state",
    "told",
)


def json_of(value: object) -> Json:
    """What there is of it in JSON, with the names that JSON has for the fields of messages."""
    if hasattr(value, "DESCRIPTOR"):
        return import_module("google.protobuf.json_format").MessageToDict(value)
    if hasattr(value, "model_dump"):
        return json_of(value.model_dump(by_alias=True, exclude_none=True))
    if isinstance(value, Mapping):
        # A runtime or a function, which ElizaOS has among its options, stays here.
        return {str(name): json_of(member) for name, member in value.items() if not _stays(member)}
    if isinstance(value, list | tuple):
        return [json_of(member) for member in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def memory_of(value: object) -> Memory:
    """Returns their memory as ours."""
    found = json_of(value)
    if isinstance(found, dict):
        if isinstance(found.get("createdAt"), str):
            # JSON of protobuf has numbers of 64 bits as text.
            found["createdAt"] = int(found["createdAt"])
        metadata = found.get("metadata")
        if isinstance(metadata, dict) and isinstance(custom := metadata.get("custom"), dict):
            found["metadata"] = {**custom.get("customData", {}), **custom.get("base", {})}
    return Memory.from_json(found)


def state_of(value: object) -> State:
    """Returns their state as ours."""
    found = json_of(value)
    if isinstance(found, dict):
        for name in ("values", "data"):
            # What ElizaOS's state has no field for is one level deeper there.
            inner = found.get(name)
            if isinstance(inner, dict):
                extra = inner.pop("extra", {})
                inner.update(extra)
        found.update(found.pop("extra", {}))
    return State.from_json(found)


def options_of(given: object) -> dict[str, Json]:
    """Returns the options of a handler: ElizaOS passes an object of no class in particular, or a message."""
    if given is None or isinstance(given, Mapping) or hasattr(given, "DESCRIPTOR"):
        options = json_of(given)
        return options if isinstance(options, dict) else {}
    members = {name: getattr(given, name) for name in dir(given) if not name.startswith("_")}
    return {name: json_of(member) for name, member in members.items() if not _stays(member)}


def their_message(module: str, name: str, value: Mapping[str, Json]) -> Any:  # noqa: ANN401 - a message of ElizaOS
    """Returns a message of ElizaOS with the members that it has a field for."""
    message = getattr(import_module(f"elizaos.types.{module}"), name)()
    return import_module("google.protobuf.json_format").ParseDict(dict(value), message, ignore_unknown_fields=True)


def their_content(content: Content) -> Any:  # noqa: ANN401 - a message of ElizaOS
    """Returns our content as theirs. Members that theirs has no field for are in its data."""
    return _filled("primitives", "Content", content.to_json(), "data")


def their_memory(memory: Memory) -> Any:  # noqa: ANN401 - a message of ElizaOS
    """Returns our memory as theirs."""
    rest = {name: value for name, value in memory.to_json().items() if name not in ("content", "metadata")}
    message = their_message("memory", "Memory", rest)
    message.content.CopyFrom(their_content(memory.content))
    if memory.metadata is not None:
        message.metadata.CopyFrom(_their_metadata(memory.metadata))
    return message


def their_state(state: State) -> Any:  # noqa: ANN401 - a message of ElizaOS
    """Returns our state as theirs. Values and data that theirs has no field for are in their ``extra``."""
    message = their_message("state", "State", {"text": state.text})
    message.values.CopyFrom(_filled("state", "StateValues", state.values, "extra"))
    message.data.CopyFrom(_filled("state", "StateData", state.data, "extra"))
    if state.extra:
        message.extra.update(dict(state.extra))
    return message


def told(message: Any, result: ActionResult | ProviderResult) -> Any:  # noqa: ANN401 - a message of ElizaOS
    """Returns the message with what our result says. Its free JSON is a Struct: numbers are doubles there."""
    if result.text is not None:
        message.text = result.text
    if result.values:
        message.values.update(dict(result.values))
    if result.data:
        message.data.update(dict(result.data))
    return message


def _filled(module: str, name: str, value: Mapping[str, Json], rest: str) -> Any:  # noqa: ANN401 - a message
    """Returns a message of the object; what does not fit one of its fields is in its Struct ``rest``."""
    formats = import_module("google.protobuf.json_format")
    message = getattr(import_module(f"elizaos.types.{module}"), name)()
    extra: dict[str, Json] = {}
    for member, inner in value.items():
        try:
            formats.ParseDict({member: inner}, message)
        except formats.ParseError:
            extra[member] = inner
    if extra:
        getattr(message, rest).update(extra)
    return message


def _their_metadata(metadata: Mapping[str, Json]) -> Any:  # noqa: ANN401 - a message of ElizaOS
    formats = import_module("google.protobuf.json_format")
    types = import_module("elizaos.types.memory")
    try:
        return formats.ParseDict(dict(metadata), types.MemoryMetadata())
    except formats.ParseError:
        custom = types.MemoryMetadata()
        custom.custom.base.type = str(metadata.get("type", "custom"))
        custom.custom.custom_data.update({name: value for name, value in metadata.items() if name != "type"})
        return custom


def _stays(value: object) -> bool:
    return inspect.isroutine(value) or hasattr(value, "register_plugin")
