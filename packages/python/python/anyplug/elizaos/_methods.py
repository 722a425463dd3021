"""The second protocol: ``{"id":1,"method":"invokeAction","params":{…}}`` and ``{"id":1,"result":…}`` or an error."""

from __future__ import annotations

from dataclasses import dataclass

from .._code import Code
from .._error import AnyplugError
from ..agent import Json, JsonObject

__all__ = ("call_of", "message_of", "method_answer", "result_in")


@dataclass(frozen=True, slots=True)
class _Method:
    method: str
    answer: str
    """The member of the answering message that its result is."""
    named: str | None = None
    """The member of the message that holds the name of what is asked."""


_METHODS = {
    "plugin.init": _Method("init", "success"),
    "action.validate": _Method("validateAction", "valid", "action"),
    "action.invoke": _Method("invokeAction", "result", "action"),
    "provider.get": _Method("getProvider", "result", "provider"),
    "evaluator.validate": _Method("validateEvaluator", "valid", "evaluator"),
    "evaluator.invoke": _Method("invokeEvaluator", "result", "evaluator"),
}
"""By the type of the message of the first protocol that means the same."""


def call_of(type: str, members: JsonObject) -> dict[str, Json]:  # noqa: A002 - as in the protocol
    """Returns method and params of the call that a message means.

    Raises AnyplugError (UNIMPLEMENTED) when this protocol has none.
    """
    found = _METHODS.get(type)
    if found is None:
        raise AnyplugError(Code.UNIMPLEMENTED, f"the plugin's protocol, of methods, has nothing for {type}")
    params = dict(members)
    if found.named is not None:
        params = {"name": params.pop(found.named, None), **params}
    return {"method": found.method, "params": params}


def method_answer(type: str, answer: JsonObject) -> dict[str, Json]:  # noqa: A002 - as in the protocol
    """Returns the answer to a call as the message of the first protocol has it."""
    result, name = answer.get("result"), _METHODS[type].answer
    if name == "success":
        return {"success": result is not False}
    # Some answer {"valid":true} where others answer true.
    return {name: result["valid"] if name == "valid" and isinstance(result, dict) and "valid" in result else result}


def message_of(method: str, params: JsonObject) -> dict[str, Json] | None:
    """Returns the message of the first protocol that a call means, or None when there is none."""
    for type_, one in _METHODS.items():
        if one.method == method:
            members = dict(params)
            name = members.pop("name", None)
            return {"type": type_, **members, **({} if one.named is None else {one.named: name})}
    return None


def result_in(method: str, answer: JsonObject) -> Json:
    """Returns the result of a call, of the answer that the first protocol has."""
    found = next((one for one in _METHODS.values() if one.method == method), None)
    return answer.get(found.answer if found else "result")
