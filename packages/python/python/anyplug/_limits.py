"""What one side accepts."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("Limits",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one side accepts. None is the default; at a plugin, it is what its host accepts."""

    max_message_bytes: int | None = None
    """The largest message. Default 4 MiB."""
    max_pending_requests: int | None = None
    """Requests of the peer that may be open at once. Default 1,000."""
    max_buffer_bytes: int | None = None
    """Bytes that may wait to be read by this side, over all calls, and that may wait to be written. Default 8 MiB."""
    initial_credit_bytes: int | None = None
    """Credit that each direction of a call starts with. Default 64 KiB."""


def limit_parts(limits: Limits | None) -> dict[str, int]:
    """Returns the limits that are set, by name."""
    if limits is None:
        return {}
    names = Limits.__dataclass_fields__
    return {name: value for name in names if (value := getattr(limits, name)) is not None}
