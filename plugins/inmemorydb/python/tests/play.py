"""Plays the shared cases against a plugin: calls and answers as proto3 JSON."""

import json
import re
from pathlib import Path
from typing import Any

import anyplug_generated.inmemorydb.v1 as messages
from anyplug import AnyplugError, JsonTypes, SyncPlugin
from anyplug_generated.inmemorydb.v1.inmemorydb_anyplug import InMemoryDb

PLUGINS = Path(__file__).resolve().parents[2]

CASES: list[dict[str, Any]] = json.loads((PLUGINS / "data" / "cases.json").read_text(encoding="utf-8"))
"""Each for an empty database."""

TYPES = JsonTypes([InMemoryDb])


def play(plugin: SyncPlugin, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the steps as they went."""
    return [
        {name: step[name] for name in ("call", "request", "requests") if name in step} | answer(plugin, step)
        for step in steps
    ]


def empty(plugin: SyncPlugin) -> None:
    """Drops all collections."""
    db = plugin.client(InMemoryDb)
    for collection in db.list_collections().collections:
        db.drop_collection(collection=collection.name)


def answer(plugin: SyncPlugin, step: dict[str, Any]) -> dict[str, Any]:
    call = step["call"]
    request = getattr(messages, f"{call[0].upper()}{call[1:]}Request")
    method = getattr(plugin.client(InMemoryDb), re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", call))
    try:
        if "requests" in step:
            requests = [TYPES.from_json(request, json.dumps(one)) for one in step["requests"]]
            return {"response": as_json(method(requests))}
        answered = method(TYPES.from_json(request, json.dumps(step["request"])))
        if call == "list":
            return {"responses": [as_json(response) for response in answered]}
        return {"response": as_json(answered)}
    except AnyplugError as error:
        return {"error": str(error)}


def as_json(message: Any) -> Any:
    return json.loads(TYPES.to_json(message))
