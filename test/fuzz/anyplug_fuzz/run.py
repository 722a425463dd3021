"""Runs inputs through all codecs."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

from .compare import difference
from .generate import generate
from .schema import MESSAGES
from .testees import Testee, start_all

__all__ = ("Finding", "run", "seeded")

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that a codec takes otherwise than upb does."""

    message: str
    data: bytes
    language: str
    what: str

    def __str__(self) -> str:
        """Returns a line with the input in hex."""
        return f"{self.language} {self.what}\n    {self.message} {self.data.hex()}"


def seeded(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Yields so many inputs, always the same for a seed."""
    names = sorted(MESSAGES)
    for index in range(count):
        chance = random.Random(f"{seed}/{index}")
        name = names[index % len(names)]
        yield name, generate(chance, MESSAGES[name].DESCRIPTOR)


def run(inputs: Iterator[tuple[str, bytes]], progress: Callable[[int], None] = lambda _: None) -> Iterator[Finding]:
    """Yields what the codecs take otherwise than upb does."""
    done = 0
    with ExitStack() as stack:
        testees = [stack.enter_context(testee) for testee in start_all()]
        while batch := list(islice(inputs, _BATCH)):
            yield from _ask(testees, batch)
            done += len(batch)
            progress(done)


def _ask(testees: list[Testee], batch: list[tuple[str, bytes]]) -> Iterator[Finding]:
    for testee in testees:
        for (name, data), answer in zip(batch, testee.ask(batch), strict=True):
            what = difference(name, data, testee.language, answer)
            if what is not None:
                yield Finding(name, data, testee.language, what)
