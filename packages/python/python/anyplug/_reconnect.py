"""A link that is made again when it is lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ._code import Code
from ._error import AnyplugError, to_error
from ._lazy import asyncio
from ._options import CallOptions

if TYPE_CHECKING:
    from ._codec import Message
    from ._connection import Connection
    from ._context import PeerInfo
    from ._descriptor import MethodDescriptor, ServiceDescriptor
    from ._transport import ResponseStream, SyncResponseStream, SyncTransport, Transport

__all__ = ("ReconnectOptions", "ReconnectingLink")

_JOIN = 1.0
"""Seconds for the threads of a connection that was killed."""

I = TypeVar("I", bound="Message")  # noqa: E741 - the input of a method
O = TypeVar("O", bound="Message")  # noqa: E741 - its output


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconnectOptions:
    """How a lost link to an address is made again."""

    initial_delay: float = 0.05
    """Seconds before the first attempt. Each attempt that fails doubles it."""
    max_delay: float = 10.0
    """Seconds between two attempts, at most."""
    max_attempts: int | None = None
    """Attempts in a row that may fail; after the last one the plugin has ended. None: without end."""
    retry_timeout: float = 30.0
    """Seconds that an idempotent call without a deadline waits for the link."""
    random: Callable[[], float] = random.random
    """A number from 0 to below 1."""
    pace: Callable[[float], float] = float
    """Returns how many seconds to wait in fact for a delay: the delay itself, where time is real."""

    def delay(self, attempt: int) -> float:
        """Returns the seconds before an attempt, the first being 0.

        It doubles up to the longest, and a random half of it is left out, so that many hosts do not come back at once.
        """
        doubled = self.initial_delay * 2.0 ** min(attempt, 1000)
        return min(self.max_delay, doubled) * (0.5 + self.random() / 2)


class ReconnectingLink:
    """Carries calls over one connection after another.

    Calls in flight on a connection that is lost end with UNAVAILABLE. One of a method that the schema says is
    idempotent is made again, once, when the link is back within its deadline; all others are not, and without a link
    they fail at once.
    """

    def __init__(self, first: Connection, dial: Callable[[], Connection], options: ReconnectOptions | None) -> None:
        self.peer: PeerInfo = first.peer
        """Who the peer is, as its first hello said."""
        self._dial = dial
        self._options = options
        self._changed = threading.Condition()
        self._current: Connection | None = None
        self._lost: AnyplugError | None = None
        self._stopped = False
        self._finished: AnyplugError | None = None
        self._ending: AnyplugError | None = None
        self._waiting: list[Callable[[], object]] = []
        self._on_ended: list[Callable[[], object]] = []
        self._take(first)

    # --- what carries the calls ------------------------------------------------------------------

    @property
    def close_reason(self) -> AnyplugError | None:
        """Why the link has ended, or None while it has not, or is being made again."""
        return self._finished

    def transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> Transport:
        """Returns what carries calls of asyncio clients to ``service``."""
        return _Transport(self, service)

    def sync_transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> SyncTransport:
        """Returns what carries calls of synchronous clients to ``service``."""
        return _SyncTransport(self, service)

    def current(self) -> Connection:
        """Returns the connection that there is; raises AnyplugError (UNAVAILABLE) without one."""
        with self._changed:
            if self._current is None:
                raise self._down()
            return self._current

    def until(self, method: MethodDescriptor[Any, Any], options: CallOptions | None) -> tuple[float, bool]:
        """Returns when an idempotent call is to be over, by the monotonic clock, and whether its caller said so."""
        own = options.timeout if options is not None else None
        if own is None and method.default_timeout_ms:
            own = method.default_timeout_ms / 1000
        if own is None or own == float("inf"):
            return time.monotonic() + (self._options.retry_timeout if self._options else 0.0), False
        return time.monotonic() + own, True

    def was_lost(self, connection: Connection) -> bool:
        """Returns whether calls fail because the connection has ended, or is about to."""
        return not self._stopped and (connection.close_reason is not None or connection.native.is_draining)

    def wait_for_link(self, until: float) -> Connection:
        """Waits for a connection; raises AnyplugError (DEADLINE_EXCEEDED, UNAVAILABLE) when there comes none."""
        with self._changed:
            while (found := self._usable()) is None:
                left = until - time.monotonic()
                if left <= 0:
                    raise self._late()
                self._changed.wait(left)
            return found

    async def link_soon(self, until: float) -> Connection:
        """Waits for a connection; raises AnyplugError (DEADLINE_EXCEEDED, UNAVAILABLE) when there comes none."""
        loop = asyncio.get_running_loop()
        while True:
            with self._changed:
                found = self._usable()
                if found is not None:
                    return found
                news: asyncio.Future[None] = loop.create_future()
                self._waiting.append(lambda: loop.call_soon_threadsafe(_settle, news))  # noqa: B023 - it is this one
            left = until - time.monotonic()
            if left <= 0:
                raise self._late()
            await asyncio.wait([news], timeout=left)

    def _usable(self) -> Connection | None:
        if self._finished is not None or self._stopped:
            raise self._down()
        if self._current is None or self.was_lost(self._current):
            return None
        return self._current

    def _down(self) -> AnyplugError:
        hope = "the connection ended" if self._stopped else "the link was lost and is being made again"
        return AnyplugError(Code.UNAVAILABLE, f"{hope}: {self._lost.message if self._lost else 'it was closed'}")

    def _late(self) -> AnyplugError:
        why = self._lost.message if self._lost else "it is about to end"
        return AnyplugError(Code.DEADLINE_EXCEEDED, f"the link was not back in time: {why}")

    # --- connections come and go -----------------------------------------------------------------

    def _take(self, connection: Connection) -> None:
        with self._changed:
            self._current = connection
            self._lost = None
            stopped = self._stopped
        self._tell()
        connection.on_ended(lambda: self._lose(connection))
        if stopped:
            connection.kill("the link was closed")

    def _lose(self, connection: Connection) -> None:
        reason = connection.close_reason
        with self._changed:
            if self._current is not connection or reason is None:
                return
            self._current = None
            # A plugin that is drained may close its side first: what ended the link is what was asked for here.
            reason = self._ending or reason
            self._lost = reason
            stopped = self._stopped
        if stopped or self._options is None or reason.code is not Code.UNAVAILABLE:
            self._finish(reason)
        else:
            threading.Thread(target=self._connect_again, args=(self._options,), daemon=True).start()

    def _connect_again(self, options: ReconnectOptions) -> None:
        attempt = 0
        while options.max_attempts is None or attempt < options.max_attempts:
            until = time.monotonic() + options.pace(options.delay(attempt))
            with self._changed:
                while not self._stopped and (left := until - time.monotonic()) > 0:
                    self._changed.wait(left)
                if self._stopped:
                    break
            try:
                connection = self._dial()
            except Exception as error:
                self._lost = to_error(error)
                if self._lost.code not in (Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED):
                    break
            else:
                if connection.peer.name == self.peer.name:
                    self._take(connection)
                    return
                message = f'the address has plugin "{connection.peer.name}" now, and had "{self.peer.name}"'
                connection.kill(message)
                connection.join_workers(_JOIN)
                self._lost = AnyplugError(Code.FAILED_PRECONDITION, message)
                break
            attempt += 1
        self._finish(self._lost or self._down())

    def _finish(self, reason: AnyplugError) -> None:
        with self._changed:
            self._stopped = True
            if self._finished is None:
                self._finished = reason
            self._lost = self._finished
            callbacks, self._on_ended = self._on_ended, []
        self._tell()
        for callback in callbacks:
            callback()

    def _tell(self) -> None:
        with self._changed:
            waiting, self._waiting = self._waiting, []
            self._changed.notify_all()
        for tell in waiting:
            tell()

    # --- the end ---------------------------------------------------------------------------------

    def on_ended(self, callback: Callable[[], object]) -> None:
        """Has ``callback`` called once the link has ended for good: at once if it has."""
        with self._changed:
            if self._finished is None:
                self._on_ended.append(callback)
                return
        callback()

    def close(self, drain_timeout: float) -> None:
        """Lets calls in flight end, ``drain_timeout`` seconds at most, and ends the link."""
        reason = AnyplugError(Code.UNAVAILABLE, f'plugin "{self.peer.name}" was closed')
        current = self._stop(reason)
        if current is not None:
            current.close(drain_timeout)
        else:
            self._finish(reason)

    def kill(self, reason: str) -> None:
        """Ends the link at once."""
        ended = AnyplugError(Code.UNAVAILABLE, reason)
        current = self._stop(ended)
        if current is not None:
            current.kill(reason)
        else:
            self._finish(ended)

    def _stop(self, reason: AnyplugError) -> Connection | None:
        with self._changed:
            self._stopped = True
            self._ending = self._ending or reason
            self._changed.notify_all()
            return self._current


def _settle(news: asyncio.Future[None]) -> None:
    if not news.done():
        news.set_result(None)


def _with_time(options: CallOptions | None, until: float, is_own: bool) -> CallOptions | None:
    """The options of a call that is made again: it has the time that is left."""
    if not is_own:
        return options
    return replace(options or CallOptions(), timeout=max(0.0, until - time.monotonic()))


class _Transport:
    """Carries calls of asyncio clients."""

    __slots__ = ("_link", "_service")

    def __init__(self, link: ReconnectingLink, service: ServiceDescriptor[Any, Any, Any]) -> None:
        self._link = link
        self._service = service

    def unary(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None, /) -> Awaitable[O]:
        if method.idempotent:
            return self._again(method, request, options)
        try:
            connection = self._link.current()
        except AnyplugError as error:
            return _fails(error)
        return connection.transport_to(self._service).unary(method, request, options)

    async def _again(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None) -> O:
        link = self._link
        until, is_own = link.until(method, options)
        connection = await link.link_soon(until) if link._current is None else link.current()
        try:
            return await connection.transport_to(self._service).unary(method, request, options)
        except AnyplugError as error:
            if error.code is not Code.UNAVAILABLE or not link.was_lost(connection):
                raise
            try:
                connection = await link.link_soon(until)
            except AnyplugError:
                raise error from None
        options = _with_time(options, until, is_own)
        return await connection.transport_to(self._service).unary(method, request, options)

    def stream(
        self, method: MethodDescriptor[I, O], requests: AsyncIterable[I] | Iterable[I], options: CallOptions | None, /
    ) -> ResponseStream[O]:
        return self._link.current().transport_to(self._service).stream(method, requests, options)


class _SyncTransport:
    """Carries calls of synchronous clients."""

    __slots__ = ("_link", "_service")

    def __init__(self, link: ReconnectingLink, service: ServiceDescriptor[Any, Any, Any]) -> None:
        self._link = link
        self._service = service

    def unary(self, method: MethodDescriptor[I, O], request: I, options: CallOptions | None, /) -> O:
        link = self._link
        if not method.idempotent:
            return link.current().sync_transport_to(self._service).unary(method, request, options)
        until, is_own = link.until(method, options)
        connection = link.wait_for_link(until) if link._current is None else link.current()
        try:
            return connection.sync_transport_to(self._service).unary(method, request, options)
        except AnyplugError as error:
            if error.code is not Code.UNAVAILABLE or not link.was_lost(connection):
                raise
            try:
                connection = link.wait_for_link(until)
            except AnyplugError:
                raise error from None
        return connection.sync_transport_to(self._service).unary(method, request, _with_time(options, until, is_own))

    def stream(
        self, method: MethodDescriptor[I, O], requests: Iterable[I], options: CallOptions | None, /
    ) -> SyncResponseStream[O]:
        return self._link.current().sync_transport_to(self._service).stream(method, requests, options)


async def _fails(error: AnyplugError) -> Any:  # noqa: ANN401 - it returns nothing
    raise error
