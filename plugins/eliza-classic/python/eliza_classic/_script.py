"""What a script says, after it was read. Nothing here changes in a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ._decompose import Decomposition

__all__ = ["NONE", "Link", "Memory", "NewKey", "Part", "Pre", "Reassembly", "Rule", "Say", "Script", "Transformation"]

#: The keyword of the rule of last resort. A line cannot say it; a link can.
NONE = "NONE"

#: A word of a reassembly, or the number of a matched part, counted from 1.
Part = str | int


@dataclass(frozen=True, slots=True)
class Say:
    """Answers with these words."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """Goes on with the rule of another keyword."""

    keyword: str


@dataclass(frozen=True, slots=True)
class Pre:
    """Rewrites the words, then goes on with the rule of another keyword."""

    parts: tuple[Part, ...]
    keyword: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """Goes on with the next keyword of the line."""


Reassembly = Say | Link | Pre | NewKey


@dataclass(frozen=True, slots=True)
class Transformation:
    """A decomposition and its reassemblies, which a session uses in turn. `index` numbers it within the script."""

    index: int
    decomposition: Decomposition
    reassemblies: tuple[Reassembly, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done about a keyword. `link` is followed when no transformation matches."""

    keyword: str
    substitute: str | None = None
    rank: int = 0
    transformations: tuple[Transformation, ...] = ()
    link: str | None = None

    @property
    def transforms(self) -> bool:
        """Whether the keyword can be the one that is answered."""
        return bool(self.transformations) or self.link is not None


@dataclass(frozen=True, slots=True)
class Memory:
    """How lines with this keyword are remembered: four rules, of which the hash of a line's last word chooses one."""

    keyword: str
    rules: tuple[tuple[Decomposition, tuple[Part, ...]], ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A script of 1966. Make one with `parse_script`."""

    greeting: str
    rules: Mapping[str, Rule]
    none: Rule
    memory: Memory | None
    transformations: int

    def rule(self, keyword: str) -> Rule | None:
        """Return the rule that a link to the keyword leads to, if there is one."""
        return self.none if keyword == NONE else self.rules.get(keyword)
