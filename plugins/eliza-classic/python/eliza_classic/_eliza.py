"""ELIZA: a script, and the conversations held by it."""

from __future__ import annotations

from ._doctor import doctor
from ._script import Script
from ._session import Session

__all__ = ["Eliza"]


class Eliza:
    """Answers by a script, which is DOCTOR if none is given."""

    __slots__ = ("_script",)

    def __init__(self, script: Script | None = None) -> None:
        """Take the script that `parse_script` returned."""
        self._script = doctor() if script is None else script

    @property
    def greeting(self) -> str:
        """What ELIZA says before the first line."""
        return self._script.greeting

    def new_session(self) -> Session:
        """Return a new conversation."""
        return Session(self._script)
