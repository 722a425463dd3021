"""ELIZA as Weizenbaum described it in 1966, with the DOCTOR script."""

from __future__ import annotations

from ._doctor import doctor
from ._eliza import Eliza
from ._errors import InputError, ScriptError
from ._parse import parse_script
from ._script import Script
from ._session import MAX_MEMORIES, MAX_MEMORY_CHARACTERS, Session
from ._sessions import DEFAULT_MAX_SESSIONS, MAX_ID_CHARACTERS, Sessions
from ._tokens import MAX_SCRIPT_CHARACTERS
from ._words import MAX_LINE_CHARACTERS

__all__ = [
    "DEFAULT_MAX_SESSIONS",
    "MAX_ID_CHARACTERS",
    "MAX_LINE_CHARACTERS",
    "MAX_MEMORIES",
    "MAX_MEMORY_CHARACTERS",
    "MAX_SCRIPT_CHARACTERS",
    "Eliza",
    "InputError",
    "Script",
    "ScriptError",
    "Session",
    "Sessions",
    "doctor",
    "parse_script",
]
