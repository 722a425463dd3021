"""The grammar of scripts: text in the form of 1966 to a Script, or the first place where it is not in that form.

The form is nested four lists deep at most, and each kind of list has a function here: a deeper one is refused where it
opens, so no script can exhaust the stack.
"""

from __future__ import annotations

from ._decompose import Decomposition, Element, decomposition_of
from ._links import endless_link
from ._reader import Reader
from ._script import NONE, Link, Memory, NewKey, Part, Pre, Reassembly, Rule, Say, Script, Transformation
from ._tokens import Token
from ._words import text_of

__all__ = ["parse_script"]

_MEMORY = "MEMORY"
_MEMORY_RULES = 4
_LINK = "a link is = and one keyword, as (=WHAT)"
_PRE = "PRE is followed by a reassembly and a link, as (PRE (I ARE 3) (=YOU))"
_RULE = "a rule is a keyword, then = and a substitute, DLIST and tags, a rank, transformations and a link"


def parse_script(text: str) -> Script:
    """Return the script that the text says.

    Raises:
        ScriptError: the text is not a script; the error says where and why.

    """
    return _Parser(text).script()


class _Parser:
    def __init__(self, text: str) -> None:
        self._reader = Reader(text)
        self._keywords: dict[str, Token] = {}
        self._rules: dict[str, Rule] = {}
        self._memory: Memory | None = None
        self._tags: dict[str, set[str]] = {}
        # The tags that a list in a decomposition names, and its words, which are known when all rules are.
        self._tagged: list[tuple[list[str], set[str]]] = []
        self._transformations = 0

    def script(self) -> Script:
        reader = self._reader
        reader.open("a script begins with the greeting, a list")
        greeting = [token.text for token in reader.plain_tokens("the greeting is a list of words")]
        if not greeting:
            raise reader.error("the greeting is empty", reader.next)
        reader.close()
        if not reader.at("START"):
            raise reader.unexpected("START follows the greeting")
        reader.take()
        while not reader.at("") and self._rule():
            pass
        if not reader.at(""):
            raise reader.unexpected("nothing follows the empty list that ends a script")
        none = self._rules.pop(NONE, None)
        if none is None:
            raise reader.error("there is no rule NONE", reader.next)
        for tags, tagged in self._tagged:
            tagged.update(*(self._tags.get(tag, ()) for tag in tags))
        script = Script(text_of(greeting), self._rules, none, self._memory, self._transformations)
        endless = endless_link(script)
        if endless is not None:
            raise reader.error(f"the links from {endless} never lead to an answer", self._keywords[endless])
        return script

    def _rule(self) -> bool:
        """Read a rule, or the empty list that ends the script; then the result is False."""
        reader = self._reader
        if reader.at(")"):
            raise reader.error("this bracket closes no list", reader.next)
        reader.open("a rule is a list")
        if reader.at(")"):
            reader.close()
            return False
        keyword = reader.word("a rule begins with its keyword")
        known = self._keywords.setdefault(keyword.text, keyword)
        if known is not keyword:
            raise reader.error(f"{keyword.text} has a rule already, in line {known.line}", keyword)
        if keyword.text == _MEMORY:
            self._memory = self._memory_rule()
        else:
            self._rules[keyword.text] = self._keyword_rule(keyword.text)
        reader.close()
        return True

    def _keyword_rule(self, keyword: str) -> Rule:
        reader = self._reader
        if keyword == NONE and not reader.at("(", ")", ""):
            raise reader.unexpected("NONE has no substitute, tags or rank")
        substitute = self._substitute()
        self._dlist(keyword, substitute)
        rank = reader.number(reader.take()) if reader.next.is_number else 0
        transformations: list[Transformation] = []
        link: str | None = None
        while not reader.at(")"):
            if link is not None:
                raise reader.unexpected("a link ends its rule")
            reader.open(_RULE)
            if reader.at("="):
                link = self._link()
            else:
                transformations.append(self._transformation())
            reader.close()
        if keyword == NONE and not transformations and link is None:
            raise reader.error("NONE has no transformation", reader.next)
        return Rule(keyword, substitute, rank, tuple(transformations), link)

    def _substitute(self) -> str | None:
        if not self._reader.at("="):
            return None
        self._reader.take()
        return self._reader.word("= is followed by the word that replaces the keyword").text

    def _dlist(self, keyword: str, substitute: str | None) -> None:
        """Read the tags. The substitute has them too: it is what a decomposition meets in place of the keyword."""
        reader = self._reader
        if not reader.at("DLIST"):
            return
        reader.take()
        reader.open("DLIST is followed by a list of tags, as (/FAMILY)")
        if not reader.next.text.startswith("/"):
            raise reader.unexpected("a list of tags begins with /")
        for tag in self._words_after_sign():
            self._tags.setdefault(tag, set()).update({keyword, substitute or keyword})
        reader.close()

    def _transformation(self) -> Transformation:
        reader = self._reader
        reader.open("a transformation begins with its decomposition, a list")
        decomposition = self._decomposition(")", "a decomposition is made of words, numbers and lists")
        reader.close()
        index = self._transformations
        self._transformations += 1
        reassemblies: list[Reassembly] = []
        while not reader.at(")"):
            reader.open("a reassembly is a list")
            reassemblies.append(self._reassembly(decomposition))
            reader.close()
        if not reassemblies:
            raise reader.error("a transformation has at least one reassembly", reader.next)
        return Transformation(index, decomposition, tuple(reassemblies))

    def _decomposition(self, end: str, form: str) -> Decomposition:
        reader = self._reader
        elements: list[Element] = []
        while not reader.at(end):
            if reader.at("("):
                elements.append(self._choice(form))
            elif reader.at("=", ")", ""):
                raise reader.unexpected(form)
            else:
                token = reader.take()
                elements.append(reader.number(token) if token.is_number else frozenset({token.text}))
        if not elements:
            raise reader.error("a decomposition is not empty", reader.next)
        return decomposition_of(elements)

    def _choice(self, form: str) -> set[str]:
        reader = self._reader
        reader.open(form)
        sign = reader.next.text[:1]
        if sign not in ("*", "/"):
            raise reader.unexpected("a list in a decomposition begins with * or /")
        words = self._words_after_sign()
        reader.close()
        if sign == "*":
            return set(words)
        tagged = set[str]()
        self._tagged.append((words, tagged))
        return tagged

    def _words_after_sign(self) -> list[str]:
        """Read the words of a list whose first token begins with * or /, which may be all of that token."""
        reader = self._reader
        first = reader.take().text[1:]
        words = [first] if first else []
        words.extend(token.text for token in reader.plain_tokens("a list with * or / is made of words"))
        if not words:
            raise reader.error("a list with * or / is not empty", reader.next)
        return words

    def _reassembly(self, decomposition: Decomposition) -> Reassembly:
        reader = self._reader
        if reader.at("="):
            return Link(self._link())
        first = reader.next
        if first.text not in ("NEWKEY", "PRE"):
            return Say(self._parts(decomposition))
        reader.take()
        if first.text == "NEWKEY" and reader.at(")"):
            return NewKey()
        if first.text == "PRE" and reader.at("("):
            return self._pre(decomposition)
        return Say((first.text, *self._parts(decomposition, begun=True)))

    def _pre(self, decomposition: Decomposition) -> Pre:
        reader = self._reader
        reader.open(_PRE)
        parts = self._parts(decomposition)
        reader.close()
        reader.open(_PRE)
        if not reader.at("="):
            raise reader.unexpected(_PRE)
        keyword = self._link()
        reader.close()
        if not reader.at(")"):
            raise reader.unexpected(_PRE)
        return Pre(parts, keyword)

    def _link(self) -> str:
        """Read the inside of a list (=KEYWORD)."""
        self._reader.take()
        keyword = self._reader.word(_LINK).text
        if not self._reader.at(")"):
            raise self._reader.unexpected(_LINK)
        return keyword

    def _parts(self, decomposition: Decomposition, *, begun: bool = False) -> tuple[Part, ...]:
        reader = self._reader
        parts: list[Part] = []
        for token in reader.plain_tokens("a reassembly is made of words and numbers"):
            if token.is_number:
                number = reader.number(token)
                if not 1 <= number <= decomposition.parts:
                    raise reader.error(f"there is no part {number}, only 1 to {decomposition.parts}", token)
                parts.append(number)
            else:
                parts.append(token.text)
        if not parts and not begun:
            raise reader.error("a reassembly is not empty", reader.next)
        return tuple(parts)

    def _memory_rule(self) -> Memory:
        reader = self._reader
        keyword = reader.word("MEMORY is followed by its keyword").text
        rules: list[tuple[Decomposition, tuple[Part, ...]]] = []
        while not reader.at(")"):
            if len(rules) == _MEMORY_RULES:
                raise reader.unexpected("MEMORY has exactly four rules")
            reader.open("a rule of MEMORY is a list")
            decomposition = self._decomposition("=", "a rule of MEMORY is a decomposition, = and a reassembly")
            reader.take()
            rules.append((decomposition, self._parts(decomposition)))
            reader.close()
        if len(rules) < _MEMORY_RULES:
            raise reader.unexpected("MEMORY has exactly four rules")
        return Memory(keyword, tuple(rules))
