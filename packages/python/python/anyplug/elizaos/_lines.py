"""Lines of a stream of bytes."""

from __future__ import annotations

from collections.abc import Callable

from .._code import Code
from .._error import AnyplugError

__all__ = ("LineReader",)


class LineReader:
    """Cuts bytes into lines of text, however they are chunked: a character that comes in two pieces is one.

    Bytes that are no UTF-8 become U+FFFD. Empty lines are left out.
    """

    def __init__(self, max_bytes: int, on_line: Callable[[str], object]) -> None:
        """A line of more than ``max_bytes`` is refused."""
        self._max_bytes = max_bytes
        self._on_line = on_line
        self._pieces: list[bytes] = []
        self._length = 0
        # The line is too long; what comes of it is dropped.
        self._skips = False

    def push(self, data: bytes) -> None:
        """Takes the next bytes. Raises AnyplugError (RESOURCE_EXHAUSTED) when a line is too long, once for each.

        It is left out, and the lines after it are given.
        """
        is_too_long = False
        *ended, rest = data.split(b"\n")
        for piece in ended:
            is_too_long |= self._keep(piece)
            self._give()
        is_too_long |= self._keep(rest)
        if is_too_long:
            raise AnyplugError(Code.RESOURCE_EXHAUSTED, f"a line of over {self._max_bytes} bytes")

    def end(self) -> None:
        """The stream has ended: what is there of a line is one."""
        self._give()

    def _keep(self, piece: bytes) -> bool:
        """Whether this made the line too long."""
        if self._skips:
            return False
        self._length += len(piece)
        if self._length > self._max_bytes:
            self._pieces = []
            self._skips = True
            return True
        if piece:
            self._pieces.append(piece)
        return False

    def _give(self) -> None:
        text = b"".join(self._pieces).decode(errors="replace").strip()
        self._pieces = []
        self._length = 0
        self._skips = False
        if text:
            self._on_line(text)
