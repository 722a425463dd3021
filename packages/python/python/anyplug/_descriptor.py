"""What generated code says of a service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from ._client import Caller, SyncCaller
    from ._codec import Message

__all__ = ("MethodDescriptor", "MethodKind", "ServiceDescriptor", "known_services")

InputT = TypeVar("InputT", bound="Message")
OutputT = TypeVar("OutputT", bound="Message")
ClientT = TypeVar("ClientT")
SyncClientT = TypeVar("SyncClientT")
HandlerT = TypeVar("HandlerT")


class MethodKind(Enum):
    """Which sides of a method stream."""

    UNARY = "unary"
    SERVER_STREAM = "server_stream"
    CLIENT_STREAM = "client_stream"
    BIDI_STREAM = "bidi_stream"

    @property
    def streams_requests(self) -> bool:
        """Whether the caller sends a stream."""
        return self in (MethodKind.CLIENT_STREAM, MethodKind.BIDI_STREAM)

    @property
    def streams_responses(self) -> bool:
        """Whether the callee sends a stream."""
        return self in (MethodKind.SERVER_STREAM, MethodKind.BIDI_STREAM)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MethodDescriptor(Generic[InputT, OutputT]):
    """What a schema says of a method."""

    service: str
    """The full name of its service: ``eliza_classic.v1.ElizaService``."""
    name: str
    """As in the schema: ``Reply``."""
    local_name: str
    """The name of the function in clients and handlers: ``reply``."""
    kind: MethodKind
    input: type[InputT]
    output: type[OutputT]
    idempotent: bool = False
    """Calling twice has the effect of calling once."""
    default_timeout_ms: int = 0
    """Milliseconds that a call may take when the caller gives no timeout; 0: no limit."""
    required_capability: str = ""
    """The capability that a caller must have been granted; empty: none."""

    @property
    def path(self) -> str:
        """``package.Service/Method``, for messages."""
        return f"{self.service}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServiceDescriptor(Generic[ClientT, SyncClientT, HandlerT]):
    """What a schema says of a service, with the generated classes of its two sides."""

    name: str
    """The full name: ``eliza_classic.v1.ElizaService``."""
    fingerprint: str
    """32 hex digits that ``protoc-gen-anyplug`` computed; empty for a service of the protocol itself."""
    methods: tuple[MethodDescriptor[Any, Any], ...]
    """In the order of the schema."""
    descriptor_set: bytes
    """A ``google.protobuf.FileDescriptorSet``: the files that the service reaches, in the order of their imports."""
    client: Callable[[Caller], ClientT]
    sync_client: Callable[[SyncCaller], SyncClientT]
    handler: type[HandlerT]

    def __post_init__(self) -> None:
        """Makes it known: a plugin without a schema is called by those of the host."""
        # A copy with something changed is not what generated code offers.
        _KNOWN.setdefault(self.name, self)


_KNOWN: dict[str, ServiceDescriptor[Any, Any, Any]] = {}


def known_services() -> tuple[ServiceDescriptor[Any, Any, Any], ...]:
    """Returns the services whose generated code has been imported; of two with one name the first one."""
    return tuple(_KNOWN.values())
