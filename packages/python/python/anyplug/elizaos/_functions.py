"""ElizaOS's C ABI: functions that take and return JSON as C strings. What the line protocol's messages mean there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .._code import Code
from .._error import AnyplugError
from ..agent import Json, JsonObject, is_object

__all__ = ("Returned", "function_answer", "function_of", "manifest_in", "without_function")

Returned: TypeAlias = int | bytes | None
"""What a function returned: an int, or the bytes of its text; None for a null pointer."""


@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    takes: tuple[str, ...]
    """The members of the message, in their order. A name is given as it is, all else as JSON."""
    answer: Literal["success", "valid", "result"]
    """The member of the answering message that its result is."""


_FUNCTIONS = {
    "plugin.init": _Function("elizaos_init", ("config",), "success"),
    "action.validate": _Function("elizaos_validate_action", ("action", "memory", "state"), "valid"),
    "action.invoke": _Function("elizaos_invoke_action", ("action", "memory", "state", "options"), "result"),
    "provider.get": _Function("elizaos_get_provider", ("provider", "memory", "state"), "result"),
    "evaluator.validate": _Function("elizaos_validate_evaluator", ("evaluator", "memory", "state"), "valid"),
    "evaluator.invoke": _Function("elizaos_invoke_evaluator", ("evaluator", "memory", "state"), "result"),
}
"""By the type of the message that means the same."""


def function_of(type: str, members: JsonObject) -> tuple[str, list[bytes]]:  # noqa: A002 - as in the protocol
    """Returns the function that a message means, and what it is called with.

    Raises AnyplugError (UNIMPLEMENTED) when this ABI has none.
    """
    function = _meant_by(type)
    return function.name, [_text(members.get(name)) for name in function.takes]


def without_function(type: str, members: JsonObject) -> dict[str, Json] | None:  # noqa: A002
    """Returns what stands for the answer of a function that the library does not have.

    Without one that validates, all is valid, and without one that initializes there is nothing to be done.
    """
    answer = _meant_by(type).answer
    is_told = answer == "valid" or (answer == "success" and not members.get("config"))
    return {answer: True} if is_told else None


def function_answer(type: str, returned: Returned) -> dict[str, Json]:  # noqa: A002
    """Returns the answer of a function as the line protocol has it.

    Raises AnyplugError (INTERNAL) when it is none.
    """
    function = _meant_by(type)
    if function.answer == "result":
        if isinstance(returned, bytes):
            return {"result": _json_of(function.name, returned)}
        # An action that has nothing to tell says "null".
        nothing: Json = {"success": False, "error": f"{function.name} returned nothing"}
        return {"result": nothing if type == "action.invoke" else None}
    status = returned if isinstance(returned, int) else -1
    if function.answer == "success":
        return {"success": True} if status == 0 else {"success": False, "error": f"{function.name} returned {status}"}
    if status < 0:
        raise AnyplugError(Code.INTERNAL, f"{function.name} returned {status}, and 0 or 1 are expected")
    return {"valid": status != 0}


def _json_of(name: str, text: bytes) -> Json:
    """Returns the JSON that a function returned; raises AnyplugError (INTERNAL) when it is none."""
    try:
        return json.loads(text.decode(), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise AnyplugError(Code.INTERNAL, f"{name} returned what is no UTF-8: {error}") from error
    except (ValueError, RecursionError) as error:
        raise AnyplugError(Code.INTERNAL, f"{name} returned what is no JSON: {error}") from error


def _refuse(constant: str) -> Json:
    raise ValueError(f"JSON has no {constant}")


def _text(value: Json) -> bytes:
    if isinstance(value, str):
        return value.encode(errors="replace")
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # Half a pair of surrogates has no UTF-8, but an escape.
        return json.dumps(value, separators=(",", ":")).encode()


def _meant_by(type: str) -> _Function:  # noqa: A002
    function = _FUNCTIONS.get(type)
    if function is None:
        message = f"the plugin's interface, ElizaOS's C ABI, has nothing for {type}"
        raise AnyplugError(Code.UNIMPLEMENTED, message)
    return function


def manifest_in(function: str, returned: Returned) -> dict[str, Json]:
    """Returns the manifest, without what the ABI has no functions for.

    Raises AnyplugError (FAILED_PRECONDITION) for what is none.
    """
    if not isinstance(returned, bytes):
        raise AnyplugError(Code.FAILED_PRECONDITION, f"{function} returned null")
    manifest = _json_of(function, returned)
    if not is_object(manifest):
        raise AnyplugError(Code.FAILED_PRECONDITION, f"{function} returned no manifest: it is no object")
    name, error = manifest.get("name"), manifest.get("error")
    if not isinstance(name, str) or not name:
        why = "it has no name" if error is None else error if isinstance(error, str) else json.dumps(error)
        raise AnyplugError(Code.FAILED_PRECONDITION, f"{function} returned no manifest: {why}")
    return {key: value for key, value in manifest.items() if key not in ("services", "routes")}
