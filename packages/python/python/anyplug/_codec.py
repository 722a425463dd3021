"""The one place where messages become bytes and bytes messages."""

import sys
from typing import Protocol, Self, TypeVar, runtime_checkable

from ._code import Code
from ._error import AnyplugError, Detail
from ._native import encode_message

__all__ = ("Message", "MessageT", "decode", "detail_of", "encode", "type_url")


@runtime_checkable
class Message(Protocol):
    """A generated message: a dataclass of betterproto2."""

    def __bytes__(self) -> bytes:
        """Returns the encoding of the message."""
        ...

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Returns the message that ``data`` encodes."""
        ...


MessageT = TypeVar("MessageT", bound=Message)


def encode(message: Message, *, deterministic: bool = False) -> bytes:
    """Returns the bytes of ``message``: what ``bytes(message)`` returns.

    With ``deterministic`` the entries of maps come in order of their keys, so that equal messages have equal bytes: for
    hashes, caches and comparisons within one version of anyplug. Other implementations may order differently.

    Raises AnyplugError (INVALID_ARGUMENT), which names the field, when one holds what its type cannot.
    """
    try:
        return encode_message(message, deterministic=True) if deterministic else bytes(message)
    except AnyplugError:
        raise
    except Exception as error:
        raise AnyplugError(
            Code.INVALID_ARGUMENT, f"a {type(message).__name__} cannot be encoded: {type(error).__name__}: {error}"
        ) from error


def decode(message_type: type[MessageT], data: bytes) -> MessageT:
    """Returns the message that ``data`` encodes.

    Raises AnyplugError (INTERNAL) when the bytes are not a ``message_type``.
    """
    try:
        return message_type.parse(data)
    except AnyplugError as error:
        # Whoever calls did nothing wrong: the peer sent these bytes.
        raise AnyplugError(
            Code.INTERNAL, f"a message cannot be parsed as {message_type.__name__}: {error.message}"
        ) from error
    except Exception as error:
        raise AnyplugError(
            Code.INTERNAL, f"a message cannot be parsed as {message_type.__name__}: {type(error).__name__}: {error}"
        ) from error


def type_url(message_type: type[Message]) -> str:
    """Returns ``type.googleapis.com/`` and the full name of a generated message type.

    Raises AnyplugError (INVALID_ARGUMENT) for a class that was not generated.
    """
    pool = getattr(sys.modules.get(message_type.__module__), "default_message_pool", None)
    url = None if pool is None else pool.type_to_url.get(message_type)
    if not isinstance(url, str):
        raise AnyplugError(Code.INVALID_ARGUMENT, f"{message_type.__qualname__} is not a generated message type")
    return url


def detail_of(message: Message) -> Detail:
    """Returns ``message`` as a detail of an error."""
    return Detail(type_url(type(message)), encode(message))
