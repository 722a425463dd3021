"""ELIZA as a plugin: the engine behind ElizaService."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from anyplug import AnyplugError, Code, Context, Implementation, RequestStream, define_plugin, implement
from anyplug_generated.eliza_classic.v1 import (
    ChatRequest,
    ChatResponse,
    Exchange,
    ReplyRequest,
    ReplyResponse,
    ReplyStreamRequest,
    ReplyStreamResponse,
    TranscriptRequest,
    TranscriptResponse,
)
from anyplug_generated.eliza_classic.v1.eliza_anyplug import Eliza as ElizaService
from anyplug_generated.eliza_classic.v1.eliza_anyplug import ElizaHandler

from ._eliza import Eliza
from ._errors import InputError, ScriptError
from ._parse import parse_script
from ._sessions import Sessions

__all__ = ["plugin"]

T = TypeVar("T")


class _Handler(ElizaHandler):
    __slots__ = ("_eliza", "_sessions")

    def __init__(self, eliza: Eliza) -> None:
        self._eliza = eliza
        self._sessions = Sessions(eliza)

    def reply(self, request: ReplyRequest, context: Context) -> ReplyResponse:
        return ReplyResponse(text=_accepted(lambda: self._sessions.reply(request.session_id, request.text)))

    def reply_stream(self, request: ReplyStreamRequest, context: Context) -> Iterator[ReplyStreamResponse]:
        reply = _accepted(lambda: self._sessions.reply(request.session_id, request.text))
        for word in reply.split(" "):
            yield ReplyStreamResponse(text=word)

    def transcript(self, requests: RequestStream[TranscriptRequest], context: Context) -> TranscriptResponse:
        session = self._eliza.new_session()
        exchanges = []
        for request in requests:
            text = request.text
            exchanges.append(Exchange(text=text, reply=_accepted(lambda: session.reply(text))))  # noqa: B023 - called at once
        return TranscriptResponse(exchanges=exchanges)

    def chat(self, requests: RequestStream[ChatRequest], context: Context) -> Iterator[ChatResponse]:
        session = self._eliza.new_session()
        for request in requests:
            text = request.text
            yield ChatResponse(text=_accepted(lambda: session.reply(text)))  # noqa: B023 - called at once


def _accepted(answer: Callable[[], T]) -> T:
    """Returns the answer; what the engine refuses is the caller's to correct."""
    try:
        return answer()
    except InputError as error:
        raise AnyplugError(Code.INVALID_ARGUMENT, str(error)) from None


def _services(config: Mapping[str, Any]) -> list[Implementation]:
    return [implement(ElizaService, _Handler(_eliza(config)))]


def _eliza(config: Mapping[str, Any]) -> Eliza:
    """Returns ELIZA with the script that is configured: `script`, its text, or `script_path`, an absolute path."""
    script, path = _text(config, "script"), _text(config, "script_path")
    if script is not None and path is not None:
        raise AnyplugError(Code.INVALID_ARGUMENT, "config: expected script or script_path, got both")
    if script is not None:
        return _parsed("config.script", script)
    if path is None:
        return Eliza()
    if not Path(path).is_absolute():
        expected = f'config.script_path: expected an absolute path, got "{path}"'
        why = "the folder that a plugin works in depends on how it is loaded"
        raise AnyplugError(Code.INVALID_ARGUMENT, f"{expected}: {why}")
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise AnyplugError(Code.INVALID_ARGUMENT, f"config.script_path: {path} cannot be read: {reason}") from None
    return _parsed(f"config.script_path: {path}", text)


def _text(config: Mapping[str, Any], name: str) -> str | None:
    value = config.get(name)
    if value is not None and not isinstance(value, str):
        raise AnyplugError(Code.INVALID_ARGUMENT, f"config.{name}: expected text, got {json.dumps(value)}")
    return value


def _parsed(where: str, text: str) -> Eliza:
    try:
        return Eliza(parse_script(text))
    except ScriptError as error:
        raise AnyplugError(Code.INVALID_ARGUMENT, f"{where}: {error}") from None


plugin = define_plugin(name="eliza-classic", version="0.1.0", services=_services)
