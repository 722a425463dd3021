"""Inputs that are kept: each found a fault once, or is of a form that is easily got wrong."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from .schema import MESSAGES, ROOT

__all__ = ("corpus", "keep")

_FOLDER = ROOT / "test/fuzz/corpus"


def corpus() -> Iterator[tuple[str, bytes]]:
    """Yields the inputs that are kept."""
    for name in sorted(MESSAGES):
        for file in sorted((_FOLDER / name).glob("*.bin")):
            yield name, file.read_bytes()


def keep(name: str, data: bytes) -> Path:
    """Keeps an input, under a name that its bytes give; returns where."""
    file = _FOLDER / name / f"{hashlib.sha256(data).hexdigest()[:16]}.bin"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file.relative_to(ROOT)
