"""What a caller may say of one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._metadata import Metadata, MetadataInput

if TYPE_CHECKING:
    from ._context import Context

__all__ = ("CallOptions",)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """What a caller may say of one call: ``client.reply(text="…", options=CallOptions(timeout=1.0))``."""

    timeout: float | None = None
    """Seconds that the call may take. None: what the schema says of the method; ``math.inf``: no limit."""
    metadata: MetadataInput | None = None
    """Sent with the request. Keys are lower-case ASCII: letters, digits, ``_``, ``.`` and ``-``."""
    on_header: Callable[[Metadata], None] | None = None
    """Takes the metadata that the callee sends before its first message."""
    on_trailer: Callable[[Metadata], None] | None = None
    """Takes the metadata that the callee sends at the end, of a call that succeeded as of one that failed."""
    traceparent: str = ""
    """W3C trace context."""
    tracestate: str = ""
    within: Context | None = None
    """The call within which this one is made, by whatever connection: its remaining time, its cancellation, its trace
    and its origin go along. Clients of `Context.client` set it by themselves."""
