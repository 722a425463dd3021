"""Waits of asyncio for what threads of Python or of the native module tell."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ._lazy import asyncio

__all__ = ("background_loop", "until")


async def until(register: Callable[[Callable[[], None]], bool]) -> None:
    """Waits until the callback that ``register`` is given was called, in whichever thread.

    ``register`` returns True when there is nothing to wait for, and then does not call back.
    """
    loop = asyncio.get_running_loop()
    happened: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not happened.done():
            happened.set_result(None)

    def on_event() -> None:
        # asyncio documents this function for whoever works with the loop itself; it costs nothing where no loop runs.
        if asyncio._get_running_loop() is loop:
            tell()
        elif not loop.is_closed():
            loop.call_soon_threadsafe(tell)

    if not register(on_event):
        await happened


class _Background:
    """An event loop in a thread of its own, for asynchronous handlers where no loop of the user's runs."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.loop: asyncio.AbstractEventLoop | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        with self.lock:
            if self.loop is None:
                self.loop = asyncio.new_event_loop()
                threading.Thread(target=self.run, args=(self.loop,), name="anyplug-loop", daemon=True).start()
            return self.loop

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()

    def forget(self) -> None:
        """After a fork there is no such thread."""
        self.lock = threading.Lock()
        self.loop = None


_BACKGROUND = _Background()


def background_loop() -> asyncio.AbstractEventLoop:
    """Returns the event loop that runs in a thread of its own, started when it is first asked for."""
    return _BACKGROUND.get()


def forget_background_loop() -> None:
    """Says that this process is a fork, in which the thread does not run."""
    _BACKGROUND.forget()
