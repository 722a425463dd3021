"""From a line to its words, and from the words of an answer to its text."""

from __future__ import annotations

from collections.abc import Iterable

from ._characters import IN_LINES
from ._errors import InputError

__all__ = ["MAX_LINE_CHARACTERS", "text_of", "words_of"]

#: The longest line that is answered, in characters (Unicode code points).
MAX_LINE_CHARACTERS = 65_536


def words_of(line: str) -> list[str]:
    """Return the words of a line in capitals, a comma or a period being a word of its own.

    Apostrophes and hyphens count inside a word only, so that a quoted keyword is found.

    Raises:
        InputError: the line is longer than MAX_LINE_CHARACTERS.

    """
    if len(line) > MAX_LINE_CHARACTERS:
        raise InputError(
            f"the line has {len(line)} characters, and at most {MAX_LINE_CHARACTERS} are answered: say it in parts"
        )
    plain = line.translate(IN_LINES)
    words = plain.replace(",", " , ").replace(".", " . ").split()
    if "'" in plain or "-" in plain:
        return [bare for word in words if (bare := word.strip("'-"))]
    return words


def text_of(words: Iterable[str]) -> str:
    """Return the words as one text: single spaces between them, and none before a comma or a period."""
    return " ".join(words).replace(" ,", ",").replace(" .", ".")
