"""What the messages of google.protobuf can do that others cannot. Generated code derives them from these classes."""

import datetime
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

import betterproto2

from ._messages import Message

__all__ = (
    "AnyMethods",
    "DurationMethods",
    "ListValueMethods",
    "StructMethods",
    "TimestampMethods",
    "ValueMethods",
    "WrapperMethods",
)

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


class _Json(Message):
    """A message that betterproto2's JSON writes in a form of its own."""

    def _to_json(self, **options: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def _from_json(cls, value: Any) -> Self:
        raise NotImplementedError

    if not TYPE_CHECKING:

        def to_dict(self, **options: Any) -> Any:
            """Returns the form of the message in JSON."""
            return self._to_json(**options)

        @classmethod
        def from_dict(cls, value: Any, *, ignore_unknown_fields: bool = False) -> Self:
            """Returns the message of a form in JSON."""
            return cls._from_json(value)


def _of_module(message: Message | type[Message], name: str) -> Any:
    """What the package of a generated class calls by this name: a subclass of the user's is in another module."""
    message_type = message if isinstance(message, type) else type(message)
    generated: type = cast("Any", message_type)._anyplug_generated
    return getattr(sys.modules[generated.__module__], name)


class AnyMethods(Message):
    """google.protobuf.Any."""

    if TYPE_CHECKING:
        type_url: str
        value: bytes

        def __init__(self) -> None: ...

    @classmethod
    def pack(cls, message: betterproto2.Message, message_pool: betterproto2.MessagePool | None = None) -> Self:
        """Returns a message with the bytes of another and its name.

        The pool is by default that of the packages that this class is part of. Raises KeyError when the class of the
        message is not in it.
        """
        pool = _of_module(cls, "default_message_pool") if message_pool is None else message_pool
        packed = cls()
        packed.type_url = pool.type_to_url[type(message)]
        packed.value = bytes(message)
        return packed

    def unpack(self, message_pool: betterproto2.MessagePool | None = None) -> betterproto2.Message | None:
        """Returns the message that was packed; None when there is none.

        Raises TypeError when its name is not in the pool: the module that it is in must have been imported.
        """
        if not self.type_url:
            return None
        pool = _of_module(self, "default_message_pool") if message_pool is None else message_pool
        message_type = pool.url_to_type.get(f"type.googleapis.com/{self.type_url.rpartition('/')[2]}")
        if message_type is None:
            raise TypeError(f"no message {self.type_url} is known: import the module that it is in")
        message: betterproto2.Message = message_type.parse(self.value)
        return message

    if not TYPE_CHECKING:

        def to_dict(self, **options: Any) -> dict[str, Any]:
            """Returns the JSON form of the message that was packed, with its name."""
            message = self.unpack()
            if message is None:
                return {}
            form = message.to_dict(**options)
            return {"@type": self.type_url, **({"value": form} if _has_own_form(message) else form)}

        @classmethod
        def from_dict(cls, value: Mapping[str, Any], *, ignore_unknown_fields: bool = False) -> Self:
            """Returns the message of a JSON form. Raises TypeError when its name is not known."""
            if not value:
                return cls()
            found = _of_module(cls, "default_message_pool").url_to_type.get(value.get("@type"))
            if found is None:
                raise TypeError(f"no message {value.get('@type')} is known: import the module that it is in")
            members = {name: member for name, member in value.items() if name != "@type"}
            form = members.get("value") if _has_own_form(found) else members
            return cls.pack(found.from_dict(form, ignore_unknown_fields=ignore_unknown_fields))


def _has_own_form(message: betterproto2.Message | type[betterproto2.Message]) -> bool:
    message_type = message if isinstance(message, type) else type(message)
    return issubclass(message_type, _Json | AnyMethods)


class TimestampMethods(_Json):
    """google.protobuf.Timestamp: microseconds of a datetime, nanoseconds of its own."""

    if TYPE_CHECKING:
        seconds: int
        nanos: int

        def __init__(self) -> None: ...

    @classmethod
    def from_datetime(cls, time: datetime.datetime) -> Self:
        """Returns the message for a time; without a time zone it is taken for local time."""
        microseconds = (time.astimezone(datetime.UTC) - _EPOCH) // _MICROSECOND
        message = cls()
        message.seconds, rest = divmod(microseconds, 1_000_000)
        message.nanos = rest * 1000
        return message

    def to_datetime(self) -> datetime.datetime:
        """Returns the time in UTC, without what is less than a microsecond.

        Raises OverflowError when the year is none of 1 to 9999.
        """
        return _EPOCH + datetime.timedelta(seconds=self.seconds, microseconds=self.nanos // 1000)

    @classmethod
    def from_wrapped(cls, wrapped: datetime.datetime) -> Self:
        """Returns the message for what fields of its type hold."""
        return cls.from_datetime(wrapped)

    def to_wrapped(self) -> datetime.datetime:
        """Returns what fields of its type hold."""
        return self.to_datetime()

    def _to_json(self, **_: Any) -> str:
        whole = _EPOCH + datetime.timedelta(seconds=self.seconds)
        return f"{whole.replace(tzinfo=None).isoformat()}{_fraction(self.nanos)}Z"

    @classmethod
    def _from_json(cls, value: str) -> Self:
        return cls.from_datetime(datetime.datetime.fromisoformat(value))


class DurationMethods(_Json):
    """google.protobuf.Duration: microseconds of a timedelta, nanoseconds of its own."""

    if TYPE_CHECKING:
        seconds: int
        nanos: int

        def __init__(self) -> None: ...

    @classmethod
    def from_timedelta(cls, delta: datetime.timedelta) -> Self:
        """Returns the message for a duration. Seconds and nanoseconds have one sign."""
        microseconds = delta // _MICROSECOND
        sign = -1 if microseconds < 0 else 1
        seconds, rest = divmod(abs(microseconds), 1_000_000)
        message = cls()
        message.seconds, message.nanos = sign * seconds, sign * rest * 1000
        return message

    def to_timedelta(self) -> datetime.timedelta:
        """Returns the duration, without what is less than a microsecond.

        Raises OverflowError when it is more than 999,999,999 days.
        """
        microseconds = abs(self.nanos) // 1000
        return datetime.timedelta(seconds=self.seconds, microseconds=-microseconds if self.nanos < 0 else microseconds)

    @classmethod
    def from_wrapped(cls, wrapped: datetime.timedelta) -> Self:
        """Returns the message for what fields of its type hold."""
        return cls.from_timedelta(wrapped)

    def to_wrapped(self) -> datetime.timedelta:
        """Returns what fields of its type hold."""
        return self.to_timedelta()

    def _to_json(self, **_: Any) -> str:
        sign = "-" if self.seconds < 0 or self.nanos < 0 else ""
        return f"{sign}{abs(self.seconds)}{_fraction(abs(self.nanos))}s"

    @classmethod
    def _from_json(cls, value: str) -> Self:
        number, sign = value.removesuffix("s").removeprefix("-"), -1 if value.startswith("-") else 1
        whole, _, fraction = number.partition(".")
        digits = whole + fraction
        if not value.endswith("s") or not digits.isascii() or not digits.isdigit() or len(fraction) > 9:
            raise ValueError(f"not a duration: {value}")
        message = cls()
        message.seconds, message.nanos = sign * int(whole), sign * int(fraction.ljust(9, "0"))
        return message


def _fraction(nanos: int) -> str:
    """As many digits as are needed: none, three, six or nine."""
    if nanos == 0:
        return ""
    digits = f"{nanos:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f".{digits}"


class WrapperMethods(_Json):
    """google.protobuf.StringValue and the like."""

    if TYPE_CHECKING:
        value: Any

        def __init__(self) -> None: ...

    @classmethod
    def from_wrapped(cls, wrapped: Any) -> Self:
        """Returns the message for what fields of its type hold."""
        message = cls()
        message.value = wrapped
        return message

    def to_wrapped(self) -> Any:
        """Returns what fields of its type hold."""
        return self.value

    def _to_json(self, **options: Any) -> Any:
        default = type(self)().value
        form = betterproto2.Message.to_dict(self, **{**options, "include_default_values": True})
        return form.get("value", default)

    @classmethod
    def _from_json(cls, value: Any) -> Self:
        parsed: Self = betterproto2.Message.from_dict.__func__(cls, {"value": value})  # type: ignore[attr-defined]
        return parsed


class StructMethods(_Json):
    """google.protobuf.Struct."""

    if TYPE_CHECKING:
        fields: dict[str, Any]

        def __init__(self) -> None: ...

    def _to_json(self, **options: Any) -> dict[str, Any]:
        return {name: value.to_dict(**options) for name, value in self.fields.items()}

    @classmethod
    def _from_json(cls, value: Mapping[str, Any]) -> Self:
        value_type = _of_module(cls, "Value")
        message = cls()
        message.fields = {name: value_type.from_dict(member) for name, member in value.items()}
        return message


class ListValueMethods(_Json):
    """google.protobuf.ListValue."""

    if TYPE_CHECKING:
        values: list[Any]

        def __init__(self) -> None: ...

    def _to_json(self, **options: Any) -> list[Any]:
        return [value.to_dict(**options) for value in self.values]

    @classmethod
    def _from_json(cls, value: list[Any]) -> Self:
        value_type = _of_module(cls, "Value")
        message = cls()
        message.values = [value_type.from_dict(member) for member in value]
        return message


class ValueMethods(_Json):
    """google.protobuf.Value: anything that JSON has."""

    def _to_json(self, **options: Any) -> Any:
        name, value = betterproto2.which_one_of(self, "kind")
        if name == "null_value":
            return None
        return value.to_dict(**options) if isinstance(value, Message) else value

    @classmethod
    def _from_json(cls, value: Any) -> Self:
        message = cast("Any", cls())
        if value is None:
            message.null_value = _of_module(cls, "NullValue")(0)
        elif isinstance(value, bool):
            message.bool_value = value
        elif isinstance(value, int | float):
            message.number_value = float(value)
        elif isinstance(value, str):
            message.string_value = value
        elif isinstance(value, Mapping):
            message.struct_value = _of_module(cls, "Struct").from_dict(value)
        else:
            message.list_value = _of_module(cls, "ListValue").from_dict(value)
        return cast("Self", message)
