"""proto3 JSON: messages as JSON, by the descriptors that generated code carries."""

from collections.abc import Iterable
from typing import Any

from . import _native
from ._codec import MessageT, encode, type_url
from ._descriptor import ServiceDescriptor

__all__ = ("JsonTypes",)


class JsonTypes:
    """A set of message types: those of its sources, all that they reach, and the well-known types.

    It is what ``google.protobuf.Any`` is resolved by. Descriptors are read when the set is first used; make a set once
    and keep it::

        types = JsonTypes([Greeter])
        types.to_json(GreetRequest(name="Ada"))  # {"name":"Ada"}
        types.from_json(GreetRequest, '{"name": "Ada"}')
    """

    __slots__ = ("_types",)

    def __init__(self, sources: Iterable[ServiceDescriptor[Any, Any, Any] | bytes], /) -> None:
        """Takes generated services and ``google.protobuf.FileDescriptorSet``s in bytes.

        What is wrong with a source is told by the first use.
        """
        sets = [source if isinstance(source, bytes) else source.descriptor_set for source in sources]
        self._types = _native.JsonTypes(sets)

    def has(self, type_name: str, /) -> bool:
        """Returns whether there is a message type of this full name."""
        return self._types.has(type_name)

    def to_json(
        self,
        message: MessageT,
        /,
        *,
        proto_field_names: bool = False,
        print_defaults: bool = False,
        enums_as_integers: bool = False,
    ) -> str:
        """Returns the JSON of a message.

        With ``proto_field_names`` names are as in the schema, ``user_name`` instead of ``userName``; with
        ``print_defaults`` fields that hold their default and have no presence are printed, empty lists and maps too;
        with ``enums_as_integers`` enum values are numbers instead of names.

        Raises AnyplugError with INVALID_ARGUMENT when it has none, NOT_FOUND when its type is not in the set.
        """
        return self.bytes_to_json(
            _name_of(type(message)),
            encode(message),
            proto_field_names=proto_field_names,
            print_defaults=print_defaults,
            enums_as_integers=enums_as_integers,
        )

    def from_json(
        self, message_type: type[MessageT], json: str, /, *, ignore_unknown_members: bool = False
    ) -> MessageT:
        """Returns the message that a JSON text means.

        Both spellings of a field's name are taken. With ``ignore_unknown_members`` members that the message has no
        field for are skipped, and names that an enum does not have; else they are refused.

        Raises AnyplugError with INVALID_ARGUMENT when it means none, NOT_FOUND when the type is not in the set.
        """
        data = self.json_to_bytes(_name_of(message_type), json, ignore_unknown_members=ignore_unknown_members)
        return message_type.parse(data)

    def bytes_to_json(
        self,
        type_name: str,
        data: bytes,
        /,
        *,
        proto_field_names: bool = False,
        print_defaults: bool = False,
        enums_as_integers: bool = False,
    ) -> str:
        """Returns the JSON of a message that is given by its type's full name and its bytes. As ``to_json``."""
        return self._types.bytes_to_json(type_name, data, proto_field_names, print_defaults, enums_as_integers)

    def json_to_bytes(self, type_name: str, json: str, /, *, ignore_unknown_members: bool = False) -> bytes:
        """Returns the bytes of the message that a JSON text means. As ``from_json``."""
        return self._types.json_to_bytes(type_name, json, ignore_unknown_members)


def _name_of(message_type: type[MessageT]) -> str:
    return type_url(message_type).rpartition("/")[2]
