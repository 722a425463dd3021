"""What a model reads of an action or an evaluator: its examples and parameters, as ElizaOS has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from .._error import AnyplugError
from ..agent import Content, Json
from ._parameters import parameter_list
from ._values import their_content, their_message

__all__ = ("action_examples", "action_parameters", "evaluator_examples")


def action_examples(text: str) -> list[Any]:
    """Returns the examples of an action: conversations, each a list of messages."""
    return _all(text, lambda said: [_example(one) for one in said])


def evaluator_examples(text: str) -> list[Any]:
    """Returns the examples of an evaluator: each a prompt, a conversation, and what comes of it."""
    return _all(text, _evaluation)


def action_parameters(text: str) -> list[Any]:
    """Returns the parameters in a JSON Schema."""
    listed = parameter_list(_parsed(text))
    return [made for one in listed if (made := _tried(_parameter, one)) is not None]


def _all(text: str, make: Callable[[Any], Any]) -> list[Any]:
    found = _parsed(text)
    return [made for one in found if (made := _tried(make, one)) is not None] if isinstance(found, list) else []


def _tried(make: Callable[[Any], Any], value: Json) -> Any:  # noqa: ANN401 - a message of ElizaOS
    """What is not as ElizaOS has it is left out: it is there for a model to read, and the plugin works without it."""
    unlike: type[Exception] = import_module("google.protobuf.json_format").ParseError
    try:
        return make(value)
    except (KeyError, TypeError, ValueError, AttributeError, AnyplugError, unlike):
        return None


def _parsed(text: str) -> Json:
    return json.loads(text) if text else None


def _example(said: Mapping[str, Json]) -> Any:  # noqa: ANN401 - a message of ElizaOS
    example = import_module("elizaos.types.components").ActionExample(name=said["name"])
    example.content.CopyFrom(their_content(Content.from_json(said["content"])))
    return example


def _evaluation(example: Mapping[str, Json]) -> Any:  # noqa: ANN401 - a message of ElizaOS
    plain = {"prompt": example["prompt"], "outcome": example["outcome"]}
    made = their_message("components", "EvaluationExample", plain)
    made.messages.extend(_example(one) for one in example["messages"])
    return made


def _parameter(one: Mapping[str, Json]) -> Any:  # noqa: ANN401 - a message of ElizaOS
    return their_message("components", "ActionParameter", one)
