"""Generated messages: betterproto2's dataclasses, whose bytes are the native codec's."""

from copy import deepcopy
from typing import IO, Any, TypeVar, cast

import betterproto2

from ._code import Code
from ._error import AnyplugError
from ._native import decode_message, encode_message, merge_message, register_message

__all__ = ("MessagePool",)

_M = TypeVar("_M", bound=betterproto2.Message)


class MessagePool(betterproto2.MessagePool):
    """The messages of one set of generated packages.

    Each generated module registers its classes here, one by one, as it defines them. Each class is told then to leave
    its bytes to the native codec: `bytes(message)`, `parse`, `load`, and with them `SerializeToString`, `FromString`,
    `dump` and pickling; copies keep what betterproto2's would lose. The table of a class is looked for when the class
    is first used.
    """

    def __init__(self) -> None:
        """Begins with no messages."""
        super().__init__()  # type: ignore[no-untyped-call]  # betterproto2's is not annotated

    def register_message(self, package_name: str, message_name: str, message_type: type[betterproto2.Message]) -> None:
        """Keeps the class under its name, and gives it its bytes.

        Raises RuntimeError when the name is taken.
        """
        super().register_message(package_name, message_name, message_type)
        register_message(message_type)
        methods = cast("Any", message_type)
        methods.__bytes__ = _to_bytes
        methods.__copy__ = _copy
        methods.__deepcopy__ = _deepcopy
        methods.load = _load
        methods.parse = classmethod(_parse)


def _to_bytes(message: betterproto2.Message) -> bytes:
    """Returns the encoding of the message.

    Raises AnyplugError (INVALID_ARGUMENT), which names the field, when one holds what its type cannot.
    """
    return encode_message(message)


def _parse(message_type: type[_M], data: bytes) -> _M:
    """Returns the message that ``data`` encodes.

    Raises AnyplugError (INVALID_ARGUMENT), which names the field and the place, when it does not encode one.
    """
    message: _M = decode_message(message_type, data)
    return message


# A pickled message names the method that makes it again.
_parse.__name__ = "parse"


def _load(message: _M, stream: IO[bytes], size: int | None = None) -> _M:
    """Adds to the message what a stream has: all of it, ``size`` bytes, or as many as a number before them says.

    Returns the message. Raises AnyplugError (INVALID_ARGUMENT) when that is not such a message, or too short.
    """
    if size == betterproto2.SIZE_DELIMITED:
        try:
            size, _ = betterproto2.load_varint(stream)
        except (EOFError, ValueError) as error:
            raise AnyplugError(
                Code.INVALID_ARGUMENT, f"no length before an encoded {type(message).__name__}: {error}"
            ) from error
    data = stream.read() if size is None else stream.read(size)
    if size is not None and len(data) != size:
        raise AnyplugError(
            Code.INVALID_ARGUMENT,
            f"the stream ended after {len(data)} of the {size} bytes of an encoded {type(message).__name__}",
        )
    merge_message(message, data)
    return message


def _copy(message: _M) -> _M:
    """Returns a message with the same attributes, those that its class does not know included."""
    copied = message.__class__.__new__(message.__class__)
    vars(copied).update(vars(message))
    return copied


def _deepcopy(message: _M, memo: dict[int, object]) -> _M:
    """Returns a message with copies of the attributes, those that its class does not know included."""
    copied = message.__class__.__new__(message.__class__)
    memo[id(message)] = copied
    vars(copied).update(deepcopy(vars(message), memo))
    return copied
