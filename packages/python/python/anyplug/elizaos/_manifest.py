"""A manifest of ElizaOS, as an agent's description of a plugin and back."""

from __future__ import annotations

import json

from anyplug_generated.anyplug.agent import v1 as wire

from ..agent import Json, JsonObject, is_object

__all__ = ("description_of", "manifest_of")


def description_of(manifest: JsonObject) -> wire.DescribeResponse:
    """Returns what a manifest says that the plugin has.

    It is read as it comes: what is not of the expected kind is left out, since peers add members of their own and other
    spellings.
    """
    events = manifest.get("events")
    return wire.DescribeResponse(
        name=_text(manifest.get("name")),
        description=_text(manifest.get("description")),
        priority=_number(manifest.get("priority")),
        dependencies=_texts(manifest.get("dependencies")),
        actions=[
            wire.ActionDescription(
                name=_text(one.get("name")),
                description=_text(one.get("description")),
                similes=_texts(one.get("similes")),
                examples_json=_json(one.get("examples")),
                tags=_texts(one.get("tags")),
                priority=_number(one.get("priority")),
                parameters_json=_json(one.get("parameters")),
            )
            for one in _objects(manifest.get("actions"))
        ],
        providers=[
            wire.ProviderDescription(
                name=_text(one.get("name")),
                description=_text(one.get("description")),
                dynamic=one.get("dynamic") is True,
                position=_number(one.get("position")),
                private=one.get("private") is True,
            )
            for one in _objects(manifest.get("providers"))
        ],
        evaluators=[
            wire.EvaluatorDescription(
                name=_text(one.get("name")),
                description=_text(one.get("description")),
                similes=_texts(one.get("similes")),
                always_run=_first(one, "alwaysRun", "always_run") is True,
                examples_json=_json(one.get("examples")),
            )
            for one in _objects(manifest.get("evaluators"))
        ],
        services=[
            wire.ServiceDescription(
                type=_text(_first(one, "type", "serviceType", "name")), description=_text(one.get("description"))
            )
            for one in _objects(manifest.get("services"))
        ],
        routes=[
            wire.RouteDescription(
                path=_text(one.get("path")),
                method=_text(_first(one, "method", "type")),
                name=_text(one.get("name")),
                public=one.get("public") is True,
                multipart=_first(one, "isMultipart", "is_multipart") is True,
            )
            for one in _objects(manifest.get("routes"))
        ],
        events=list(events) if is_object(events) else [],
        models=_texts(manifest.get("models")),
    )


def manifest_of(description: wire.DescribeResponse, language: str) -> dict[str, Json]:
    """Returns the manifest of a plugin: of each thing the members that ElizaOS knows."""
    return {
        "name": description.name,
        "description": description.description,
        "version": "1.0.0",
        "language": language,
        "interop": {"protocol": "ipc"},
        "dependencies": list(description.dependencies),
        "actions": [
            {
                "name": one.name,
                "description": one.description,
                "similes": list(one.similes),
                **({"examples": json.loads(one.examples_json)} if one.examples_json else {}),
            }
            for one in description.actions
        ],
        "providers": [
            {
                "name": one.name,
                "description": one.description,
                "dynamic": one.dynamic,
                "position": one.position,
                "private": one.private,
            }
            for one in description.providers
        ],
        "evaluators": [
            {
                "name": one.name,
                "description": one.description,
                "alwaysRun": one.always_run,
                "similes": list(one.similes),
            }
            for one in description.evaluators
        ],
        "services": [{"type": one.type, "description": one.description} for one in description.services],
        "routes": [
            {
                "path": one.path,
                "method": one.method,
                "name": one.name,
                "public": one.public,
                "isMultipart": one.multipart,
            }
            for one in description.routes
        ],
        "events": {type_: [type_] for type_ in description.events},
    }


def _first(value: JsonObject, *names: str) -> Json:
    """The first member of these names that is there."""
    return next((value[name] for name in names if value.get(name) is not None), None)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return 0
    return int(value)


def _texts(value: Json) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _objects(value: Json) -> list[JsonObject]:
    return [one for one in value if is_object(one)] if isinstance(value, list) else []


def _json(value: Json) -> str:
    return "" if value is None else json.dumps(value, separators=(",", ":"))
