"""The DOCTOR script of 1966, which comes with the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from ._parse import parse_script
from ._script import Script

__all__ = ["doctor"]


@cache
def doctor() -> Script:
    """Return the DOCTOR script."""
    return parse_script(files(__package__).joinpath("data", "doctor-1966.txt").read_text(encoding="utf-8"))
