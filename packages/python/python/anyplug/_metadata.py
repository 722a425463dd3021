"""Metadata: pairs of text that go with a call."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

__all__ = ("Metadata", "MetadataInput", "metadata_pairs")

Metadata: TypeAlias = tuple[tuple[str, str], ...]
"""Pairs of metadata. A key may occur more than once, and order is kept."""

MetadataInput: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
"""What is accepted where metadata is given. Keys are lower-case ASCII: letters, digits, ``_``, ``.`` and ``-``."""


def metadata_pairs(metadata: MetadataInput | None) -> Metadata:
    """Returns the pairs of a mapping or an iterable; none for None."""
    if metadata is None:
        return ()
    return tuple(metadata.items() if isinstance(metadata, Mapping) else ((key, value) for key, value in metadata))
