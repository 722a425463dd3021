"""A cursor over the tokens of a script: what comes next, which lists are open, and what is wrong here."""

from __future__ import annotations

from collections.abc import Iterator

from ._errors import ScriptError
from ._tokens import Token, tokens_of

__all__ = ["MAX_NUMBER", "Reader"]

#: The highest rank, and the most words that a number in a decomposition can stand for.
MAX_NUMBER = 999_999


class Reader:
    """Reads a script token by token. `next` is the token that comes next, at the end an empty one."""

    def __init__(self, script: str) -> None:
        """Stand before the first token. Raises ScriptError if the script is too long."""
        self._tokens = tokens_of(script)
        self._opened: list[Token] = []
        self.next = next(self._tokens)

    def at(self, *texts: str) -> bool:
        """Return whether the next token is one of these; the empty one is the end."""
        return self.next.text in texts

    def take(self) -> Token:
        """Return the next token and go past it."""
        taken = self.next
        self.next = next(self._tokens, taken)
        return taken

    def open(self, form: str) -> None:
        """Go past the bracket that opens a list, of which `form` says why it is due here."""
        if not self.at("("):
            raise self.unexpected(form)
        self._opened.append(self.take())

    def close(self) -> None:
        """Go past the bracket that closes the list opened last. The next token is known to be one."""
        self._opened.pop()
        self.take()

    def plain_tokens(self, form: str) -> Iterator[Token]:
        """Take and yield the tokens to the end of a list, in which there are no lists."""
        while not self.at(")"):
            if self.at("(", ""):
                raise self.unexpected(form)
            yield self.take()

    def word(self, form: str) -> Token:
        """Take a word, which is not a number."""
        if not self.next.is_word:
            raise self.unexpected(form)
        return self.take()

    def number(self, token: Token) -> int:
        """Return the number that the token says. Raises ScriptError if it is above MAX_NUMBER."""
        digits = token.text.lstrip("0")
        if len(digits) > len(str(MAX_NUMBER)):
            raise self.error(f"a number is at most {MAX_NUMBER}; found {token.describe()}", token)
        return int(digits or "0")

    def unexpected(self, form: str) -> ScriptError:
        """Return the error that the next token does not fit the form; at the end, that a list was left open."""
        if self.at("") and self._opened:
            return self.error("this list is not closed", self._opened[-1])
        reason = f"{form}; found {self.next.describe()}"
        if self._opened and self._opened[0].line != self.next.line:  # often a bracket is missing further up
            reason += f", in the list that opens in line {self._opened[0].line}"
        return self.error(reason, self.next)

    def error(self, reason: str, token: Token) -> ScriptError:
        """Return an error at a token."""
        return ScriptError(token.line, token.column, reason)
