"""The rules of the wire, as test/vectors has them, through the native module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from anyplug import AnyplugError, Code, LogLevel
from anyplug._native import (
    FrameDecoder,
    Session,
    decode_header,
    decode_status,
    encode_frame,
    encode_header,
    encode_status,
)

VECTORS = Path(__file__).parents[3] / "test" / "vectors"


def load(name: str) -> list[Any]:
    entries = json.loads((VECTORS / name).read_text())
    assert entries
    return entries  # type: ignore[no-any-return]


def named(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("entry", load(name), ids=lambda entry: entry["name"])


SCRIPTS = [
    pytest.param(script, id=f"{path.stem}: {script['name']}")
    for path in sorted((VECTORS / "sessions").glob("*.json"))
    for script in json.loads(path.read_text())
]


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "by bytes"])
@named("frames.json")
def test_frames(entry: dict[str, Any], whole: bool) -> None:
    data = bytes.fromhex(entry["bytes"])
    decoder = FrameDecoder(entry["max_frame_bytes"])
    chunks = [data] if whole else [data[index : index + 1] for index in range(len(data))]
    found = [frame for chunk in chunks for frame in decoder.push(chunk)]
    expected = [
        (
            frame["offset"],
            frame["kind"],
            frame["flags"],
            frame["method"],
            frame["call"],
            bytes.fromhex(frame["payload"]),
        )
        for frame in entry["frames"]
    ]
    assert found == expected
    if "error" in entry:
        assert decoder.error is not None
        assert decoder.error.code.name == entry["error"]["code"]
        assert decoder.offset == entry["error"]["offset"]
        return
    assert decoder.error is None
    assert decoder.pending_bytes == entry.get("rest", 0)
    if entry.get("canonical", True):
        complete = len(data) - entry["rest"]
        assert b"".join(encode_frame(*frame[1:]) for frame in found) == data[:complete]


def code_number(name: str) -> int:
    return 0 if name == "OK" else Code[name]


def status_parts(status: dict[str, Any]) -> tuple[int, str, Any, Any]:
    details = tuple((detail["type_url"], bytes.fromhex(detail["value"])) for detail in status.get("details", []))
    metadata = tuple((key, value) for key, value in status.get("metadata", []))
    return code_number(status["code"]), status.get("message", ""), details, metadata


@named("statuses.json")
def test_statuses(entry: dict[str, Any]) -> None:
    data = bytes.fromhex(entry["bytes"])
    if entry.get("error"):
        with pytest.raises(AnyplugError):
            decode_status(data)
        return
    status = decode_status(data)
    assert status == status_parts(entry)
    if entry["canonical"]:
        assert encode_status(status) == data


def header_parts(header: dict[str, Any]) -> tuple[int | None, Any, str, str, Any]:
    return (
        header.get("timeout_ms"),
        tuple((key, value) for key, value in header.get("metadata", [])),
        header.get("traceparent", ""),
        header.get("tracestate", ""),
        tuple(header.get("origin", [])),
    )


@named("headers.json")
def test_headers(entry: dict[str, Any]) -> None:
    data = bytes.fromhex(entry["bytes"])
    if entry.get("error"):
        with pytest.raises(AnyplugError):
            decode_header(data)
        return
    header = decode_header(data)
    assert header == header_parts(entry["header"])
    if entry["canonical"]:
        assert encode_header(header) == data


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "by bytes"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_sessions(script: dict[str, Any], whole: bool) -> None:
    Player(script["session"], whole).play(script["steps"])


class Player:
    """Plays the script of a session."""

    def __init__(self, made: dict[str, Any], whole: bool) -> None:
        self.whole = whole
        self.session = Session(
            made["role"],
            name=made["name"],
            version=made["version"],
            runtime=made["runtime"],
            limits=made["limits"],
            services=[(entry["name"], entry["fingerprint"], entry["methods"]) for entry in made["services"]],
            uses=[(entry["name"], entry["fingerprint"]) for entry in made["uses"]],
            plugin=made.get("plugin", ""),
            config=made.get("config", ""),
        )

    def play(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            if "receive" in step:
                self.receive(bytes.fromhex(step["receive"]))
            elif "output" in step:
                assert self.session.take_output().hex() == step["output"]
            elif "output_starts" in step:
                assert self.session.take_output().hex().startswith(step["output_starts"])
            elif "output_frame" in step:
                self.check_output_frame(step["output_frame"])
            elif "event" in step:
                self.check_event(step["event"])
            else:
                self.do(step)
        assert self.session.next_event() is None
        assert self.session.take_output() == b""

    def receive(self, data: bytes) -> None:
        for chunk in [data] if self.whole else [data[index : index + 1] for index in range(len(data))]:
            self.session.receive(chunk)

    def check_output_frame(self, expected: dict[str, Any]) -> None:
        decoder = FrameDecoder(1 << 20)
        [(_, kind, _, _, call, payload)] = decoder.push(self.session.take_output())
        assert (kind, call, decoder.pending_bytes) == (expected["kind"], expected["call"], 0)
        if kind == 10:  # GoAway { Status status = 1; }, whose length is one or two bytes of varint
            assert payload[0] == 0x0A
            payload = payload[2:] if payload[1] < 0x80 else payload[3:]
        check_status(decode_status(payload), expected["status"])

    def check_event(self, expected: dict[str, Any]) -> None:
        event = self.session.next_event()
        assert event is not None, f"expected {expected}"
        for member, value in expected.items():
            check_member(member, event[member], value)

    def do(self, step: dict[str, Any]) -> None:
        arguments = {
            key: argument(key, value) for key, value in step.items() if key not in ("do", "returns", "fails", "note")
        }
        if step["do"] in ("consume", "adopt_call"):
            arguments["size"] = arguments.pop("bytes")
        operation = getattr(self.session, step["do"])
        if "fails" in step:
            with pytest.raises(AnyplugError) as caught:
                operation(**arguments)
            assert caught.value.code.name == step["fails"]["code"]
            for text in step["fails"]["contains"]:
                assert text in caught.value.message
            return
        returned = operation(**arguments)
        if step["do"] == "accept_call":
            expected = step["returns"]
            assert returned == expected.get("start", expected.get("refused"))
        elif "returns" in step:
            [expected] = step["returns"].values()
            assert returned == expected


def argument(name: str, value: Any) -> Any:
    if name == "payload":
        return bytes.fromhex(value)
    if name in ("status", "reason"):
        return status_parts(value)
    if name == "header":
        return header_parts(value)
    if name == "record":
        return log_parts(value)
    return value


def log_parts(record: dict[str, Any]) -> tuple[int, str, str, int, dict[str, str]]:
    level = LogLevel[record["level"]]
    return level, record["message"], record.get("logger", ""), record.get("time_ms", 0), record.get("fields", {})


def check_member(name: str, actual: Any, expected: Any) -> None:
    if name == "status" and expected is not None:
        check_status(actual, expected)
    elif name == "header" and expected is not None:
        assert actual == header_parts(expected)
    elif name == "payload" and expected is not None:
        assert actual.hex() == expected
    elif name == "record":
        assert actual == log_parts(expected)
    elif name == "peer":
        check_peer(actual, expected)
    else:
        assert actual == expected


def check_peer(actual: dict[str, Any], expected: dict[str, Any]) -> None:
    for member, value in expected.items():
        found = actual[member]
        if member == "services":
            found = [{"name": name, "fingerprint": mark, "methods": methods} for name, mark, methods in found]
        elif member == "uses":
            found = [{"name": name, "fingerprint": mark} for name, mark in found]
        assert found == value


def check_status(actual: Any, expected: dict[str, Any]) -> None:
    code, message, details, metadata = actual
    assert code == code_number(expected["code"])
    if "message" in expected:
        assert message == expected["message"]
    for text in expected.get("contains", []):
        assert text in message
    for name, value in (("details", details), ("metadata", metadata)):
        if name in expected:
            index = 2 if name == "details" else 3
            assert value == status_parts(expected)[index]
