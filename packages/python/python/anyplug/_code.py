"""The sixteen codes: how a call or a connection can fail."""

from enum import IntEnum

__all__ = ("Code",)


class Code(IntEnum):
    """How a call or a connection failed. Codes and numbers are those of gRPC and Connect; the set is closed."""

    CANCELLED = 1
    """The caller gave up, or the host cancelled the call."""
    UNKNOWN = 2
    """A failure that fits no other code, or a code that this version does not know."""
    INVALID_ARGUMENT = 3
    """The request is wrong in itself, whatever the state of the callee."""
    DEADLINE_EXCEEDED = 4
    """The remaining time ran out before the call ended."""
    NOT_FOUND = 5
    """What was asked for does not exist."""
    ALREADY_EXISTS = 6
    """What was to be created exists."""
    PERMISSION_DENIED = 7
    """The caller is known and may not do this."""
    RESOURCE_EXHAUSTED = 8
    """A limit was reached: message size, buffered bytes, pending requests, or one of the callee's own."""
    FAILED_PRECONDITION = 9
    """The callee is not in the state that the call needs; a retry alone does not help."""
    ABORTED = 10
    """A conflict, such as a lost race; a retry at a higher level may help."""
    OUT_OF_RANGE = 11
    """Past the valid range, where a later state may make it valid."""
    UNIMPLEMENTED = 12
    """The callee has no such service or method."""
    INTERNAL = 13
    """A defect: an invariant does not hold, a handler panicked, or a peer broke the protocol."""
    UNAVAILABLE = 14
    """The callee cannot be reached now: it died, is draining, or the connection ended."""
    DATA_LOSS = 15
    """Data was lost or is corrupt."""
    UNAUTHENTICATED = 16
    """The caller is not known."""

    def __str__(self) -> str:
        return self.name
