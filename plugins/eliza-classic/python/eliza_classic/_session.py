"""One conversation."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ._decompose import decompose
from ._hash import hash_of
from ._reassemble import reassemble
from ._script import NewKey, Pre, Reassembly, Rule, Say, Script, Transformation
from ._words import text_of, words_of

__all__ = ["MAX_LINKED_WORDS", "MAX_LINKS", "MAX_MEMORIES", "MAX_MEMORY_CHARACTERS", "Session"]

#: The most memories that wait in a session; while so many wait, nothing more is remembered.
MAX_MEMORIES = 1_000
#: The most characters in the memories that wait in a session; one that would make it more is not kept.
MAX_MEMORY_CHARACTERS = 65_536
#: The most links that are followed for one answer.
MAX_LINKS = 1_000
#: The most words that the links followed for one answer carry, all together.
MAX_LINKED_WORDS = 1_000_000

_LIMITS = 4
_DELIMITERS = frozenset({",", ".", "BUT"})
_AT_A_LOSS = ("PLEASE CONTINUE", "HMMM", "GO ON, PLEASE", "I SEE")


class Session:
    """A conversation: what was said in it changes later answers in it, and in no other."""

    __slots__ = ("_limit", "_memories", "_memory_characters", "_next", "_script")

    def __init__(self, script: Script) -> None:
        """Begin a conversation."""
        self._script = script
        self._limit = 1
        self._next = [0] * script.transformations
        self._memories: deque[str] = deque()
        self._memory_characters = 0

    def reply(self, line: str) -> str:
        """Return the answer to a line, in capitals.

        Raises:
            InputError: the line is longer than MAX_LINE_CHARACTERS; the session stays as it was.

        """
        words = words_of(line)
        self._limit = self._limit % _LIMITS + 1
        keywords, words = self._scan(words)
        if keywords or not self._memories or self._limit != _LIMITS:
            return self._answer(keywords, words)
        memory = self._memories.popleft()
        self._memory_characters -= len(memory)
        return memory

    def _scan(self, words: list[str]) -> tuple[list[Rule], list[str]]:
        """Return the rules of the keywords, the first to be tried first, and the words of their clause."""
        rules = self._script.rules
        front: list[Rule] = []
        back: list[Rule] = []
        highest = 0
        start = 0
        end = len(words)
        for at, word in enumerate(words):
            rule = rules.get(word)
            if word in _DELIMITERS:
                if front or back:
                    end = at
                    break
                start = at + 1
            elif rule is not None:
                if not rule.transforms:
                    pass
                elif rule.rank > highest:
                    highest = rule.rank
                    front.append(rule)
                else:
                    back.append(rule)
                if rule.substitute is not None:
                    words[at] = rule.substitute
        front.reverse()
        return front + back, words[start:end]

    def _answer(self, keywords: Sequence[Rule], words: list[str]) -> str:
        script = self._script
        waiting = iter((*keywords, script.none))
        rule = next(waiting)
        links = linked_words = 0
        remembered = False
        matches: dict[str, tuple[Transformation, list[int]] | None] = {}
        while True:
            if not remembered and script.memory is not None and rule.keyword == script.memory.keyword:
                remembered = True
                self._remember(words)
            if rule.keyword not in matches:
                matches[rule.keyword] = self._match(rule, words)
            match = matches[rule.keyword]
            if match is None:
                if rule.link is None:
                    break
                target = rule.link
            else:
                transformation, bounds = match
                reassembly = self._next_reassembly(transformation)
                if isinstance(reassembly, Say):
                    return text_of(reassemble(reassembly.parts, words, bounds))
                if isinstance(reassembly, NewKey):
                    following = next(waiting, None)
                    if following is None:
                        break
                    rule = following
                    continue
                if isinstance(reassembly, Pre):
                    words = reassemble(reassembly.parts, words, bounds)
                    matches.clear()
                target = reassembly.keyword
            links += 1
            linked_words += len(words)
            linked = script.rule(target)
            if linked is None or links > MAX_LINKS or linked_words > MAX_LINKED_WORDS:
                break
            rule = linked
        return _AT_A_LOSS[self._limit - 1]

    def _match(self, rule: Rule, words: list[str]) -> tuple[Transformation, list[int]] | None:
        for transformation in rule.transformations:
            bounds = decompose(transformation.decomposition, words)
            if bounds is not None:
                return transformation, bounds
        return None

    def _next_reassembly(self, transformation: Transformation) -> Reassembly:
        turn = self._next[transformation.index]
        self._next[transformation.index] = (turn + 1) % len(transformation.reassemblies)
        return transformation.reassemblies[turn]

    def _remember(self, words: list[str]) -> None:
        memory = self._script.memory
        if memory is None or len(self._memories) >= MAX_MEMORIES:
            return
        decomposition, parts = memory.rules[hash_of(words[-1] if words else "")]
        bounds = decompose(decomposition, words)
        if bounds is None:
            return
        text = text_of(reassemble(parts, words, bounds))
        if self._memory_characters + len(text) <= MAX_MEMORY_CHARACTERS:
            self._memories.append(text)
            self._memory_characters += len(text)
