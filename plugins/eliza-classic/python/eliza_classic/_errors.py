"""What the engine refuses, and why. Both are the caller's to correct: an invalid argument."""

from __future__ import annotations

__all__ = ["InputError", "ScriptError"]


class ScriptError(ValueError):
    """A script that is not in the form of 1966.

    `line` and `column` count from 1 (a column is a character, a Unicode code point) and say where `reason` was found.
    """

    __slots__ = ("column", "line", "reason")

    def __init__(self, line: int, column: int, reason: str) -> None:
        """Make the error of one place in a script."""
        super().__init__(f"line {line}, column {column}: {reason}")
        self.line = line
        self.column = column
        self.reason = reason


class InputError(ValueError):
    """A line or a session id that is too long. The message names the limit."""
