"""A link that is made again: who has ended it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from anyplug import AnyplugError, Code
from anyplug._reconnect import ReconnectingLink

if TYPE_CHECKING:
    from anyplug._connection import Connection


class EndsFirst:
    """A connection whose plugin closes its side as soon as it is drained, before this side does."""

    peer = SimpleNamespace(name="hasty")
    native = SimpleNamespace(is_draining=False)

    def __init__(self) -> None:
        self.close_reason: AnyplugError | None = None
        self._callbacks: list[Callable[[], object]] = []

    def on_ended(self, callback: Callable[[], object]) -> None:
        self._callbacks.append(callback)

    def close(self, drain_timeout: float) -> None:
        self.close_reason = AnyplugError(Code.UNAVAILABLE, "the plugin at unix:x.sock closed the connection")
        for callback in self._callbacks:
            callback()


def test_a_close_is_told_as_one_also_when_the_plugin_ends_first() -> None:
    link = ReconnectingLink(cast("Connection", EndsFirst()), dial=EndsFirst, options=None)  # type: ignore[arg-type]
    link.close(drain_timeout=1.0)
    assert link.close_reason is not None
    assert link.close_reason.message == 'plugin "hasty" was closed'
