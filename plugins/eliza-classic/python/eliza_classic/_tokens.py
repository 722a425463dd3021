"""The tokens of a script: brackets, `=`, comma and period, and words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ._characters import IN_SCRIPTS
from ._errors import ScriptError

__all__ = ["MAX_SCRIPT_CHARACTERS", "Token", "tokens_of"]

#: The longest script that is read, in characters (Unicode code points).
MAX_SCRIPT_CHARACTERS = 1_048_576

_SINGLE = frozenset("()=,.")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Token:
    """A bracket, `=`, a comma, a period or a word in capitals, and where it stands. The end of the script is empty."""

    text: str
    line: int
    column: int

    @property
    def is_number(self) -> bool:
        """Whether it consists of the digits 0 to 9."""
        return self.text.isascii() and self.text.isdigit()

    @property
    def is_word(self) -> bool:
        """Whether it is a word with a letter or sign in it, which a keyword must be."""
        return self.text not in _SINGLE and self.text != "" and not self.is_number

    def describe(self) -> str:
        """Return how an error names it."""
        if not self.text:
            return "the end of the script"
        shown = self.text if len(self.text) <= _SHOWN else self.text[:_SHOWN] + "..."
        return f'"{shown}"'


def tokens_of(script: str) -> Iterator[Token]:
    """Yield the tokens, and an empty one at the end.

    Raises:
        ScriptError: the script is longer than MAX_SCRIPT_CHARACTERS.

    """
    if len(script) > MAX_SCRIPT_CHARACTERS:
        raise ScriptError(
            1, 1, f"the script has {len(script)} characters, and at most {MAX_SCRIPT_CHARACTERS} are read"
        )
    line, line_start = 1, 0
    word_start = -1
    for at, character in enumerate(script):
        space = character <= " " or character in "\u00a0\ufeff"
        if (space or character in _SINGLE) and word_start >= 0:
            yield Token(script[word_start:at].translate(IN_SCRIPTS), line, word_start - line_start + 1)
            word_start = -1
        if character in _SINGLE:
            yield Token(character, line, at - line_start + 1)
        elif character == "\n":
            line, line_start = line + 1, at + 1
        elif not space and word_start < 0:
            word_start = at
    if word_start >= 0:
        yield Token(script[word_start:].translate(IN_SCRIPTS), line, word_start - line_start + 1)
    yield Token("", line, len(script) - line_start + 1)
