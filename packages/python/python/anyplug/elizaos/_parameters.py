"""The parameters of an action: one JSON Schema with us, a list of names with schemas in ElizaOS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..agent import Json, JsonObject, is_object

__all__ = ("parameter_list", "parameter_schema")

_THEIR_NAMES = {"default": "defaultValue", "enum": "enumValues"}


def parameter_list(schema: Json) -> list[dict[str, Json]]:
    """Returns the members of an object's JSON Schema as ElizaOS lists them; a list is returned as it is."""
    if isinstance(schema, list):
        return [dict(one) for one in schema if is_object(one)]
    properties = schema.get("properties") if is_object(schema) else None
    if not is_object(properties):
        return []
    required = schema.get("required")
    wanted = required if isinstance(required, list) else []
    members = {name: member for name, member in properties.items() if is_object(member)}
    return [
        {
            "name": name,
            "description": str(member.get("description", "")),
            "required": name in wanted,
            "schema": _their_schema(member),
        }
        for name, member in members.items()
    ]


def parameter_schema(parameters: Sequence[JsonObject] | None) -> JsonObject | None:
    """Returns ElizaOS's list as one JSON Schema, and None without a list."""
    if parameters is None:
        return None
    named = [one for one in parameters if "name" in one]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {str(one["name"]): _described(one) for one in named},
        "required": [str(one["name"]) for one in named if one.get("required") is True],
    }
    return schema


def _described(parameter: JsonObject) -> dict[str, Json]:
    schema = _our_schema(parameter.get("schema"))
    description = parameter.get("description")
    return {**schema, "description": description} if description else schema


def _their_schema(schema: JsonObject) -> dict[str, Json]:
    return _renamed(schema, _THEIR_NAMES, _their_schema)


def _our_schema(schema: Json) -> dict[str, Json]:
    names = {theirs: ours for ours, theirs in _THEIR_NAMES.items()}
    return _renamed(schema, names, _our_schema) if is_object(schema) else {}


def _renamed(schema: JsonObject, names: Mapping[str, str], inner: Any) -> dict[str, Json]:  # noqa: ANN401 - itself
    result: dict[str, Json] = {}
    for name, value in schema.items():
        if name == "items" and is_object(value):
            result[name] = inner(value)
        elif name == "properties" and is_object(value):
            result[name] = {key: inner(member) for key, member in value.items() if is_object(member)}
        elif name in ("enum", "enumValues") and isinstance(value, list):
            result[names.get(name, name)] = [str(one) for one in value] if names is _THEIR_NAMES else value
        else:
            result[names.get(name, name)] = value
    return result
