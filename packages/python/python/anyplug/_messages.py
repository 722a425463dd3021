"""Generated messages: betterproto2's dataclasses, whose bytes are the native codec's."""

import warnings
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast, dataclass_transform

import betterproto2

from ._code import Code
from ._error import AnyplugError
from ._fields import LazyFields, mark_generated
from ._native import decode_message, encode_message, merge_message, register_message

__all__ = ("Enum", "Message", "MessagePool", "warn_deprecated")

_M = TypeVar("_M", bound=betterproto2.Message)


def warn_deprecated(name: str) -> None:
    """Warns whoever makes a message that sets a deprecated field."""
    warnings.warn(f"{name} is deprecated", DeprecationWarning, stacklevel=3)


class MessagePool(betterproto2.MessagePool):
    """The messages of one set of generated packages, by their names."""

    def __init__(self) -> None:
        """Begins with no messages."""
        super().__init__()  # type: ignore[no-untyped-call]  # betterproto2's is not annotated

    def register(self, package_name: str, message_types: Mapping[str, type["Message"]], /) -> None:
        """Keeps the classes of a package under their names in it.

        The table of a class is looked for when the class is first used.
        Raises RuntimeError when a name is taken.
        """
        prefix = f"type.googleapis.com/{package_name}." if package_name else "type.googleapis.com/"
        for name, message_type in message_types.items():
            url = prefix + name
            if url in self.url_to_type:
                raise RuntimeError(f"there is a message {url.partition('/')[2]} already")
            self.url_to_type[url] = message_type
            self.type_to_url[message_type] = url
            mark_generated(message_type)
            register_message(message_type)

    def register_message(self, package_name: str, message_name: str, message_type: type[betterproto2.Message]) -> None:
        """Keeps a class that betterproto2's own compiler wrote, and gives it its bytes.

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


@dataclass_transform(eq_default=False, kw_only_default=True)
class Message(betterproto2.Message):
    """What generated messages derive from: a dataclass of betterproto2, whose bytes are the native codec's.

    That goes for `bytes(message)`, `parse`, `load`, and with them `SerializeToString`, `FromString`, `dump` and
    pickling; copies keep what betterproto2's would lose.
    """

    if not TYPE_CHECKING:
        __dataclass_fields__ = LazyFields()
        __bytes__ = _to_bytes
        __copy__ = _copy
        __deepcopy__ = _deepcopy
        load = _load
        parse = classmethod(_parse)


@dataclass(eq=False, repr=False)
class _Plain:
    """A dataclass with the parameters of messages."""


# What the decorator of dataclasses asks the bases of a class for.
cast("Any", Message).__dataclass_params__ = cast("Any", _Plain).__dataclass_params__


class Enum(betterproto2.Enum):
    """What generated enums derive from. A number that the schema does not name is a member without a name."""

    @classmethod
    def betterproto_value_to_renamed_proto_names(cls) -> dict[int, str]:
        """Returns the names in the schema of the values that are called otherwise in Python."""
        names: dict[int, str] = {}
        for name, value in cls.betterproto_renamed_proto_names_to_value().items():
            names.setdefault(value, name)
        return names
