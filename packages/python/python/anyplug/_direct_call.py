"""A call in this process: what its handler knows of it, and how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ._code import Code
from ._error import AnyplugError
from ._lazy import asyncio
from ._metadata import Metadata

__all__ = ("DirectCall",)

T = TypeVar("T")

_LOCK = threading.Lock()
"""For the moments in which a call is cancelled or asked about that: they are short, and rarely two at once."""


class DirectCall:
    """A call in this process."""

    # As most calls have it. What is not set for a call costs it nothing.
    deadline: float | None = None
    """The time of `time.monotonic` at which the call ends, or None."""
    metadata: Metadata = ()
    origin: tuple[str, ...] = ()
    traceparent = ""
    tracestate = ""
    failure: Exception | None = None
    """What the caller's own stream of requests raised."""
    leave_outer: Callable[[], None] | None = None
    """Unties the call from the one within which it was made."""
    reason: AnyplugError | None = None
    """Why the call was cancelled, as far as that was noticed: `cancelled` looks at the deadline, too."""
    _timeout = 0.0
    _callbacks: list[Callable[[], object]] | None = None
    answered = False
    """Whether a message has gone to the caller."""
    _header: Metadata = ()
    _trailer: Metadata = ()

    def limit(self, timeout: float) -> None:
        """Has the call end in ``timeout`` seconds at the latest."""
        self._timeout = timeout
        self.deadline = time.monotonic() + timeout

    # --- what a handler sees ---------------------------------------------------------------------

    @property
    def remaining(self) -> float | None:
        """Seconds that remain, or None without a deadline."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    @property
    def cancelled(self) -> AnyplugError | None:
        """Why the call was cancelled, or None."""
        if self.reason is None and self.deadline is not None and time.monotonic() >= self.deadline:
            self.expire()
        return self.reason

    def on_cancel(self, callback: Callable[[], object], /) -> None:
        """Calls ``callback`` once when the call is cancelled: at once if it was."""
        with _LOCK:
            if self.reason is None:
                if self._callbacks is None:
                    self._callbacks = []
                self._callbacks.append(callback)
                return
        callback()

    def forget(self, callback: Callable[[], object], /) -> None:
        """No longer calls ``callback`` when the call is cancelled."""
        with _LOCK:
            if self._callbacks is not None and callback in self._callbacks:
                self._callbacks.remove(callback)

    def wait_cancelled(self, seconds: float | None, /) -> bool:
        """Sleeps until the call is cancelled, ``seconds`` at most. Returns whether it was."""
        limits = [limit for limit in (seconds, self.remaining) if limit is not None]
        told = threading.Event()
        self.on_cancel(told.set)
        told.wait(min(limits, default=None))
        self.forget(told.set)
        return self.cancelled is not None

    def set_header(self, key: str, value: str, /) -> None:
        """Adds metadata that the caller gets before the first message."""
        check_key(key)
        if self.answered:
            message = "the first message was sent, and header metadata goes before it"
            raise AnyplugError(Code.FAILED_PRECONDITION, message)
        self._header += ((key, value),)

    def set_trailer(self, key: str, value: str, /) -> None:
        """Adds metadata that the caller gets at the end."""
        check_key(key)
        self._trailer += ((key, value),)

    # --- what the transport does -----------------------------------------------------------------

    @property
    def header(self) -> Metadata:
        """What the handler set."""
        return self._header

    @property
    def trailer(self) -> Metadata:
        """What the handler set."""
        return self._trailer

    def end_metadata(self, own: Metadata = ()) -> Metadata:
        """Returns what goes with the end: ``own``, what the handler set, and the header where no message followed."""
        header = () if self.answered else self._header
        self._header = self._header if self.answered else ()
        self._trailer = own + header + self._trailer
        return self._trailer

    def failed(self, error: AnyplugError) -> AnyplugError:
        """Returns what the caller is told of what the handler raised, with the metadata that it set."""
        metadata = self.end_metadata(error.metadata)
        if metadata == error.metadata:
            return error
        return AnyplugError(error.code, error.message, details=error.details, metadata=metadata)

    def cancel(self, reason: AnyplugError) -> None:
        """Tells the handler that the call is over. Only the first reason counts."""
        with _LOCK:
            if self.reason is not None:
                return
            self.reason = reason
            callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            callback()

    def expire(self) -> None:
        """The deadline has passed."""
        milliseconds = round(self._timeout * 1000)
        self.cancel(AnyplugError(Code.DEADLINE_EXCEEDED, f"the call took longer than its {milliseconds} ms"))

    def check(self) -> None:
        """Raises the reason if the call was cancelled."""
        if (reason := self.cancelled) is not None:
            raise reason

    async def guard(self, awaitable: Awaitable[T]) -> T:
        """Awaits in the current task, which the end of the call interrupts.

        Raises the reason of the cancellation, whatever the handler makes of it.
        """
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        if task is None:
            return await awaitable
        requests, interrupted, waiting = task.cancelling(), False, True

        def interrupt() -> None:
            nonlocal interrupted
            if waiting:
                interrupted = True
                task.cancel()

        def on_cancel() -> None:
            if asyncio._get_running_loop() is not loop:
                loop.call_soon_threadsafe(interrupt)
            elif asyncio.current_task() is task:
                # What is awaited did it itself: it is not interrupted if it ends by that.
                loop.call_soon(interrupt)
            else:
                interrupt()

        self.on_cancel(on_cancel)
        timer = None if self.deadline is None else loop.call_later(self.remaining or 0.0, self.expire)
        try:
            return await awaitable
        except asyncio.CancelledError:
            if not interrupted or task.uncancel() > requests:
                self.cancel(AnyplugError(Code.CANCELLED, "the caller cancelled the call"))
                raise
            interrupted = False
            raise self.reason or AnyplugError(Code.CANCELLED, "the call was cancelled") from None
        finally:
            waiting = False
            self.forget(on_cancel)
            if timer is not None:
                timer.cancel()
            if interrupted:
                task.uncancel()


def check_key(key: str) -> None:
    """Raises AnyplugError (INVALID_ARGUMENT) for a key of metadata that cannot be sent."""
    if not key or not all(char in _KEY_CHARACTERS for char in key):
        rule = "keys are made of lower-case letters, digits, '_', '.' and '-'"
        raise AnyplugError(Code.INVALID_ARGUMENT, f'metadata key "{key}" cannot be sent: {rule}')


_KEY_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_.-")
