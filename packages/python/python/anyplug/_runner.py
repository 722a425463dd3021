"""Where handlers run."""

from __future__ import annotations

import contextvars
import sys
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol, TypeVar

from ._lazy import asyncio, futures
from ._lifetime import end_program
from ._waiting import background_loop

__all__ = ("LoopRunner", "Runner", "ThreadRunner", "go_on")

T = TypeVar("T")
Serve = Callable[[Any, Any], Any]
OnCancel = Callable[[Callable[[], object]], object]


class Runner(Protocol):
    """Runs handlers: synchronous ones where they may block, asynchronous ones on an event loop."""

    def blocking(self, serve: Serve, answer: Callable[[Any, Any], None]) -> Serve:
        """Returns what serves a call by ``serve``, which may block.

        It returns the answer at once, or None, and has ``answer`` called with the call and the answer later.
        """
        ...

    def spawn(self, coroutine: Coroutine[Any, Any, None], on_cancel: OnCancel) -> None:
        """Runs a coroutine, which is cancelled when ``on_cancel`` calls back."""
        ...


class ThreadRunner:
    """For connections whose bytes threads move: synchronous handlers run in the thread that read their call."""

    def blocking(self, serve: Serve, answer: Callable[[Any, Any], None]) -> Serve:
        """Returns ``serve``: another thread reads on when it takes long."""
        return serve

    def spawn(self, coroutine: Coroutine[Any, Any, None], on_cancel: OnCancel) -> None:
        """Runs a coroutine on the background loop."""
        on_cancel(asyncio.run_coroutine_threadsafe(coroutine, background_loop()).cancel)


class LoopRunner:
    """For connections of an event loop: synchronous handlers run in threads, so that they cannot block it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, eager: bool = False, ends_program: bool = False) -> None:
        self._loop = loop
        self._eager = eager
        self._ends_program = ends_program
        self._threads: futures.ThreadPoolExecutor | None = None

    def blocking(self, serve: Serve, answer: Callable[[Any, Any], None]) -> Serve:
        """Returns what hands a call to a thread."""

        def serve_in_thread(call: object, request: object) -> None:
            try:
                response = serve(call, request)
            except SystemExit as end:
                if self._ends_program:
                    end_program(end)
                raise
            if response is not None:
                answer(call, response)

        def serve_soon(call: object, request: object) -> None:
            if self._threads is None:
                self._threads = futures.ThreadPoolExecutor(max_workers=64, thread_name_prefix="anyplug-handler")
            # After the tasks of calls that came before: handlers begin in the order of their calls.
            self._loop.call_soon(self._threads.submit, serve_in_thread, call, request)

        return serve_soon

    def spawn(self, coroutine: Coroutine[Any, Any, None], on_cancel: OnCancel) -> None:
        """Runs a coroutine as a task."""
        if sys.version_info >= (3, 12):
            # Begins at once, as a task: what ends without waiting never goes through the loop.
            task = asyncio.Task(coroutine, loop=self._loop, eager_start=True)
            if not task.done():
                on_cancel(task.cancel)
        elif self._eager:
            step_now(self._loop, coroutine, on_cancel)
        else:
            # The callback keeps the task alive: asyncio itself does not.
            on_cancel(self._loop.create_task(coroutine).cancel)

    def close(self) -> None:
        """Waits for the handlers that run in threads."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)


def step_now(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, None], on_cancel: OnCancel) -> None:
    """Runs a coroutine to its first wait at once, and what is left of it as a task.

    There is no current task until then, so that `asyncio.timeout` and `asyncio.TaskGroup` fail as a handler's first
    step. That is why it has to be asked for; from Python 3.12 on it is not needed.
    """
    context = contextvars.copy_context()
    try:
        waits_for = context.run(coroutine.send, None)
    except StopIteration:
        return
    task = loop.create_task(go_on(coroutine, waits_for), context=context)
    on_cancel(task.cancel)


@types.coroutine
def go_on(coroutine: Coroutine[Any, Any, T], waits_for: object) -> Generator[Any, Any, T]:
    """Goes on with a coroutine that waits for ``waits_for``."""
    while True:
        try:
            try:
                sent = yield waits_for
            except BaseException as error:
                waits_for = coroutine.throw(error)
            else:
                waits_for = coroutine.send(sent)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
