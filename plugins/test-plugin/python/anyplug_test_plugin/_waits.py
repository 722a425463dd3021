"""How the waits of this plugin ended."""

from __future__ import annotations

from threading import Condition

__all__ = ("Waits",)


class Waits:
    """Counts them, in any thread."""

    __slots__ = ("_changed", "cancelled", "completed", "started")

    def __init__(self) -> None:
        self._changed = Condition()
        self.started = 0
        self.completed = 0
        self.cancelled = 0

    def start(self) -> None:
        """A wait begins."""
        with self._changed:
            self.started += 1
            self._changed.notify_all()

    def end(self, *, completed: bool) -> None:
        """A wait has ended."""
        with self._changed:
            if completed:
                self.completed += 1
            else:
                self.cancelled += 1
            self._changed.notify_all()

    def settle(self, at_least: int) -> tuple[int, int, int]:
        """Waits until that many have begun, and all that have begun have ended; returns the three counts."""
        with self._changed:
            self._changed.wait_for(lambda: self.started >= at_least and self.started == self.completed + self.cancelled)
            return self.started, self.completed, self.cancelled
