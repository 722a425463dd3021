"""What test/matrix wants to be tried, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .cell import Language, Transport

__all__ = ("BEHAVIOURS_WANTED", "CELLS_WANTED", "applies")

_FOLDER = Path(__file__).resolve().parents[2]
_LANGUAGES: tuple[Language, ...] = ("typescript", "python", "rust")


def _read(name: str) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((_FOLDER / name).read_text(encoding="utf-8"))
    return read


BEHAVIOURS_WANTED = _read("behaviours.json")
_TRANSPORTS = {transport["name"]: transport for transport in _read("transports.json")}

CELLS_WANTED: list[tuple[Language, Transport]] = [
    (language, name)
    for name, transport in _TRANSPORTS.items()
    for language in _LANGUAGES
    if language in {"all": _LANGUAGES, "own": ("python",)}.get(str(transport["plugins"]), transport["plugins"])
]
"""The cells of a host in Python: the plugin's language and the transport."""


def applies(wanted: dict[str, Any], transport: Transport) -> bool:
    """Whether a behaviour can be tried over this transport. Where it cannot, the list says why."""
    return "needs" not in wanted or wanted["needs"] in _TRANSPORTS[transport]["has"]
