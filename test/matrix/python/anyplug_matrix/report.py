"""Tells ``npm run matrix``, which runs this suite, what it asks for and what came out."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .cell import Language, Transport

__all__ = ("is_asked", "report")


def is_asked(language: Language, transport: Transport) -> bool:
    """Whether this cell is among those asked for; by default all are."""
    cells = os.environ.get("ANYPLUG_MATRIX_CELLS")
    return cells is None or f"{language}-{transport}" in cells.split(",")


def report(language: Language, transport: Transport, behaviour: str, result: str, seconds: float = 0.0) -> None:
    """Writes one result, where somebody collects them."""
    file = os.environ.get("ANYPLUG_MATRIX_RESULTS")
    if file is None:
        return
    ms = round(seconds * 1000)
    line = {"plugin": language, "transport": transport, "behaviour": behaviour, "result": result, "ms": ms}
    with Path(file).open("a", encoding="utf-8") as results:
        results.write(f"{json.dumps(line)}\n")
