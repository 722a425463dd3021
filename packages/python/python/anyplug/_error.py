"""The one exception type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._code import Code
from ._metadata import Metadata, MetadataInput, metadata_pairs

if TYPE_CHECKING:
    from ._codec import Message, MessageT

__all__ = ("AnyplugError", "Detail", "to_error")


@dataclass(frozen=True, slots=True)
class Detail:
    """A typed detail of an error: the name of a message type, after ``type.googleapis.com/``, and its bytes."""

    type_url: str
    value: bytes


class AnyplugError(Exception):
    """A failure: one of the sixteen codes and a message that says what was wrong, where, and what to do.

    ``details`` are for programs: generated messages (or `Detail`), which travel with the error. ``metadata`` is what
    the callee sent with it.
    """

    code: Code
    message: str
    details: tuple[Detail, ...]
    metadata: Metadata

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        details: Iterable[Message | Detail] = (),
        metadata: MetadataInput | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = Code(code)
        self.message = message
        self.details = tuple(_to_detail(detail) for detail in details)
        self.metadata = metadata_pairs(metadata)

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}"

    def detail(self, message_type: type[MessageT]) -> MessageT | None:
        """Returns the first detail of this message type, or None when there is none."""
        from ._codec import decode, type_url  # noqa: PLC0415 - the codec raises this error

        url = type_url(message_type)
        for detail in self.details:
            if detail.type_url == url:
                return decode(message_type, detail.value)
        return None


def _to_detail(detail: Message | Detail) -> Detail:
    if isinstance(detail, Detail):
        return detail
    from ._codec import detail_of  # noqa: PLC0415 - the codec raises this error

    return detail_of(detail)


def to_error(error: BaseException, where: str = "") -> AnyplugError:
    """Returns what a caller is told of an exception: itself, or UNKNOWN with its type and text, never its traceback."""
    if isinstance(error, AnyplugError):
        return error
    text = str(error)
    told = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return AnyplugError(Code.UNKNOWN, f"{where}: {told}" if where else told)
