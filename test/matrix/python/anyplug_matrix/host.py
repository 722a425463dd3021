"""What the host of the matrix offers to its plugins."""

from __future__ import annotations

import asyncio

from anyplug import Context
from anyplug_generated.anyplug.test.v1 import AskRequest, AskResponse, RevealRequest, RevealResponse
from anyplug_generated.anyplug.test.v1.test_anyplug import HostHandler, SecretHandler, Test

__all__ = ("TestHost",)


class Counter:
    """A number that grows, and can be waited for, in one event loop."""

    def __init__(self) -> None:
        self.count = 0
        self._grown = asyncio.Event()

    def add(self) -> None:
        self.count += 1
        self._grown.set()

    async def reaches(self, count: int) -> None:
        while self.count < count:
            self._grown.clear()
            await self._grown.wait()


class TestSecret(SecretHandler):
    """Reveals."""

    def reveal(self, request: RevealRequest, context: Context) -> RevealResponse:
        return RevealResponse(value="the secret")


class TestHost(HostHandler):
    """Answers questions; with depth it asks the plugin in turn."""

    def __init__(self) -> None:
        self.asked = Counter()
        """How many questions "wait" were asked."""
        self.cancelled = Counter()
        """How many handlers of the question "wait" were cancelled."""
        self.secret = TestSecret()

    async def ask(self, request: AskRequest, context: Context) -> AskResponse:
        if request.depth > 0:
            inner = await context.client(Test).ask_host(question=request.question, depth=request.depth - 1)
            return AskResponse(answer=inner.answer)
        match request.question:
            case "origin":
                return AskResponse(answer=" ".join(context.origin))
            case "remaining":
                return AskResponse(answer="no limit" if context.remaining is None else str(context.remaining))
            case "wait":
                self.asked.add()
                try:
                    await asyncio.Event().wait()
                finally:
                    self.cancelled.add()
        return AskResponse(answer=f"{request.question} answered")
