"""The hash function of SLIP, by which ELIZA chooses among the rules of MEMORY."""

from __future__ import annotations

__all__ = ["hash_of"]

_CHUNK = 6
_SPACE = 48

# The position of a character is its code in the 6-bit BCD of the IBM 7094; a blank here is a code without a character.
_BCD = "0123456789 ='   +ABCDEFGHI .)   -JKLMNOPQR $*    /STUVWXYZ ,(   "
_CODES = {character: code for code, character in enumerate(_BCD) if character != " "}


def hash_of(word: str) -> int:
    """Return the hash, 0 to 3, of a word's last chunk of six characters. A character without a code is a space."""
    chunk = word[(len(word) - 1) // _CHUNK * _CHUNK :] if word else ""
    datum = 0
    for character in chunk.ljust(_CHUNK):
        datum = datum << 6 | _CODES.get(character, _SPACE)
    datum &= (1 << 35) - 1  # the 36th bit is the sign
    return (datum * datum & (1 << 64) - 1) >> 34 & 3
