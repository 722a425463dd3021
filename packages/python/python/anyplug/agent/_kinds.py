"""What must be in the members of free JSON that are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeAlias

from .._code import Code
from .._error import AnyplugError
from ._json import Json, is_object, short

__all__ = ("FLAG", "LIST", "NUMBER", "NUMBERS", "OBJECT", "TEXT", "TEXTS", "Kind", "checked")

Kind: TypeAlias = tuple[str, Callable[[object], bool]] | None
"""What is expected, in words, and whether a value is it; None: anything."""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def _are(each: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list | tuple) and all(map(each, value))


TEXT: Kind = ("text", _is_text)
NUMBER: Kind = ("a number", _is_number)
FLAG: Kind = ("true or false", _is_flag)
OBJECT: Kind = ("an object", is_object)
LIST: Kind = ("a list", _is_list)
TEXTS: Kind = ("a list of texts", _are(_is_text))
NUMBERS: Kind = ("a list of numbers", _are(_is_number))


def checked(value: Json, kinds: Mapping[str, Kind], path: str) -> dict[str, Json]:
    """Returns the object without the members that are None, of which those that are known are of their kind."""
    if not is_object(value):
        raise _unexpected(path, "an object", value)
    present = {name: member for name, member in value.items() if member is not None}
    for name, member in present.items():
        kind = kinds.get(name)
        if kind is not None and not kind[1](member):
            raise _unexpected(f"{path}.{name}", kind[0], member)
    return present


def _unexpected(path: str, wanted: str, value: Json) -> AnyplugError:
    shown = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=repr)
    return AnyplugError(Code.INVALID_ARGUMENT, f"{path}: expected {wanted}, got {short(shown)}")
