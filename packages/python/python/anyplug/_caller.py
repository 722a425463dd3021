"""The short way of calls without options to a plugin in this process, from message to message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ._codec import Message, decode
from ._lazy import asyncio

if TYPE_CHECKING:
    from . import _native
    from ._descriptor import MethodDescriptor

__all__ = ("answer_of", "message_of")

O = TypeVar("O", bound=Message)  # noqa: E741 - the output of a method


def message_of(method: MethodDescriptor[Any, O], response: O | bytes) -> O:
    """Returns what a caller returned; bytes are what it could not read."""
    return decode(method.output, response) if isinstance(response, bytes) else response


async def answer_of(
    native: _native.Connection, method: MethodDescriptor[Any, O], answer: asyncio.Future[bytes], number: int
) -> O:
    """Waits for the answer to a call, which is cancelled with who waits."""
    try:
        data = await answer
    except asyncio.CancelledError:
        native.forget(number)
        raise
    return decode(method.output, data)
