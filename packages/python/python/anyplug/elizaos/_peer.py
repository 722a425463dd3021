"""The connection to a plugin that speaks one of ElizaOS's line protocols."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable

from .._code import Code
from .._error import AnyplugError
from .._log import LogLevel, LogRecord, OnLog
from ..agent import AgentPluginDefinition, Json, JsonObject, is_object
from ._drive import Dialect, driven_plugin
from ._lines import LineReader
from ._methods import call_of, method_answer
from ._requests import Requests

__all__ = ("MAX_MESSAGE_BYTES", "LinePeer", "line_of")

MAX_MESSAGE_BYTES = 10 << 20


class LinePeer:
    """One end of the line, at the host. Give it what the plugin writes."""

    def __init__(
        self,
        *,
        write: Callable[[bytes], object],
        on_failure: Callable[[AnyplugError], object],
        dialect: Dialect = "messages",
        max_pending_requests: int = 1000,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        on_log: OnLog | None = None,
    ) -> None:
        """Makes the end of a line, within a running event loop.

        ``write`` writes bytes to the plugin. ``on_failure``: the peer broke the protocol; it is of no more use.
        ``max_message_bytes``: what a line may have, in either direction. ``on_log`` takes lines that are no messages,
        and errors that are about no request.
        """
        self._write_bytes = write
        self._on_failure = on_failure
        self._dialect: Dialect = dialect
        self._max_bytes = max_message_bytes
        self._on_log = on_log
        self._requests = Requests(max_pending=max_pending_requests, write=self._write)
        self._reader = LineReader(max_message_bytes, self._line)
        self._manifest: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()

    async def plugin(self) -> AgentPluginDefinition:
        """Returns the plugin, once it has said what it is. Raises AnyplugError when it ends before."""
        if self._dialect == "messages":
            manifest: Json = await asyncio.shield(self._manifest)
        else:
            manifest = await self.call("getManifest", {})
        if not is_object(manifest):
            raise AnyplugError(Code.INTERNAL, "getManifest answered no manifest")
        return driven_plugin(manifest, self._ask, self._dialect)

    async def call(self, method: str, params: JsonObject) -> Json:
        """Calls a method of a plugin that has methods, and returns its result: "generateResponse" is such."""
        answer = await self._requests.send(lambda number: {"id": number, "method": method, "params": params})
        return answer.get("result")

    def data(self, data: bytes) -> None:
        """Takes bytes that the plugin wrote."""
        try:
            self._reader.push(data)
        except AnyplugError as error:
            self._on_failure(error)

    def ended(self, reason: AnyplugError) -> None:
        """The plugin has ended, for this reason."""
        self._reader.end()
        if not self._manifest.done():
            self._manifest.set_exception(reason)
            # Whoever waits for the plugin hears of it.
            self._manifest.exception()
        self._requests.end(reason)

    async def _ask(self, type: str, members: JsonObject) -> JsonObject:  # noqa: A002 - as in the protocol
        if self._dialect != "methods":
            return await self._requests.send(lambda number: {"type": type, "id": str(number), **members})
        call = call_of(type, members)
        return method_answer(type, await self._requests.send(lambda number: {"id": number, **call}))

    def _write(self, message: JsonObject) -> None:
        line = line_of(message)
        if len(line) > self._max_bytes:
            limit = f"{self._max_bytes} are the limit; raise max_message_bytes"
            raise AnyplugError(Code.RESOURCE_EXHAUSTED, f"the request takes {len(line)} bytes, and {limit}")
        self._write_bytes(line)

    def _line(self, line: str) -> None:
        message = _parsed(line)
        if message is None:
            self._log(LogLevel.INFO, line)
            return
        type_, key = message.get("type"), _key(message.get("id"))
        if type_ == "ready":
            manifest = message.get("manifest")
            if not self._manifest.done():
                self._manifest.set_result(manifest if is_object(manifest) else {})
        elif type_ == "error" or (type_ is None and message.get("error") is not None):
            self._failed(key, message)
        elif key is None or not self._requests.answer(key, message):
            # Its request was given up, or there never was one.
            self._log(LogLevel.DEBUG, f"an answer that nothing waits for: {line[:200]}")

    def _failed(self, key: str | None, answer: JsonObject) -> None:
        """An error about no request is about the only one there is; among several nobody can tell."""
        error, details = answer.get("error"), answer.get("details")
        message = error if isinstance(error, str) else _short_json(error)
        told = message if details is None else f"{message} ({_short_json(details)})"
        about = key or self._requests.only
        if about is None or not self._requests.fail(about, AnyplugError(_code_of(message), told)):
            self._log(LogLevel.ERROR, told)

    def _log(self, level: LogLevel, message: str) -> None:
        if self._on_log is not None:
            self._on_log(LogRecord(level, message, "stdout", int(time.time() * 1000)))


def line_of(message: JsonObject) -> bytes:
    """Returns a message as a line."""
    # Half a surrogate pair has no UTF-8: it is written as the escape that JSON has for it.
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace") + b"\n"


def _parsed(line: str) -> JsonObject | None:
    """A message is an object with a type, a method's id, or an error; anything else was printed."""
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if is_object(value) and ("type" in value or "id" in value) else None


def _key(value: Json) -> str | None:
    is_id = isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    return str(value) if is_id else None


def _short_json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _code_of(message: str) -> Code:
    not_found = re.match("(action|provider|evaluator|service|route)[a-z ]* not found", message, re.IGNORECASE)
    return Code.NOT_FOUND if not_found else Code.UNKNOWN
