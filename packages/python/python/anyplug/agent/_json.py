"""Free JSON: what plugins and hosts tell each other beyond the schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn, TypeAlias, TypeGuard

from .._code import Code
from .._error import AnyplugError

__all__ = ("Json", "JsonObject", "is_object", "parse_json", "parse_list", "parse_object", "print_json", "short")

Json: TypeAlias = Any
"""Any JSON value: None, a bool, a number, a str, a list of such, or a `JsonObject`."""

JsonObject: TypeAlias = Mapping[str, Any]
"""A JSON object."""


def parse_json(text: str, where: str) -> Json:
    """Returns the JSON in a ``_json`` member; None when it is empty. ``where`` is the member's name, for the error."""
    if text == "":
        return None
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise AnyplugError(Code.INVALID_ARGUMENT, f"{where} is not JSON: {error}") from error


def parse_object(text: str, where: str) -> dict[str, Json] | None:
    """As `parse_json`, and INVALID_ARGUMENT for JSON that is no object."""
    value = parse_json(text, where)
    if isinstance(value, dict) or text == "":
        return value  # type: ignore[no-any-return]
    raise AnyplugError(Code.INVALID_ARGUMENT, f"{where}: expected an object, got {short(text)}")


def parse_list(text: str, where: str) -> list[Json] | None:
    """As `parse_json`, and INVALID_ARGUMENT for JSON that is no list."""
    value = parse_json(text, where)
    if isinstance(value, list) or text == "":
        return value  # type: ignore[no-any-return]
    raise AnyplugError(Code.INVALID_ARGUMENT, f"{where}: expected a list, got {short(text)}")


def print_json(value: Json, where: str) -> str:
    """Returns the text of a ``_json`` member. What JSON does not know, a NaN or an object of Python, is refused.

    Raises AnyplugError (INVALID_ARGUMENT).
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair has no UTF-8; escaped it is JSON.
        return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise AnyplugError(Code.INVALID_ARGUMENT, f"{where} has no JSON: {error}") from error
    return text


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Whether the value is a JSON object."""
    return isinstance(value, Mapping)


def short(text: str) -> str:
    """Returns the text, cut where it is too long for an error."""
    return f"{text[:60]}…" if len(text) > 60 else text


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"it is a {type(value).__name__}")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
