"""Entries, as they are sent and as they are kept."""

from __future__ import annotations

from dataclasses import dataclass

from anyplug_generated.inmemorydb.v1 import Entry

from ._checks import Floats, check_name, floats_of, refusal
from ._metadata import Metadata, read_metadata, write_metadata

__all__ = ["Accepted", "Stored", "accept", "written"]


@dataclass(slots=True, frozen=True)
class Accepted:
    """An entry that may be stored. Nothing in it is shared with the message that it came in."""

    key: str
    value: bytes
    metadata: Metadata
    vector: Floats
    """Empty: none."""


@dataclass(slots=True, eq=False)
class Stored:
    """An entry that is kept."""

    key: str
    value: bytes
    metadata: Metadata
    row: int = -1
    """The row of its vector, or -1."""
    node: int = -1
    """The node of its direction in the index, or -1."""


def accept(place: str, entry: Entry | None) -> Accepted:
    """Returns an entry as it can be stored; refuses what is wrong in it by its place."""
    if entry is None:
        raise refusal(f"{place}: expected an entry, got nothing")
    check_name(f"{place}.key", entry.key)
    vector = floats_of(f"{place}.vector", entry.vector)
    metadata = read_metadata(f"{place}.metadata", entry.metadata)
    return Accepted(entry.key, bytes(entry.value), metadata, vector)


def written(stored: Stored, vector: Floats | None = None) -> Entry:
    """Returns an entry as a message has it, with a vector where one is given."""
    return Entry(
        key=stored.key,
        value=stored.value,
        vector=[] if vector is None else vector.tolist(),
        metadata=write_metadata(stored.metadata),
    )
