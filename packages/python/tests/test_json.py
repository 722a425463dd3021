"""proto3 JSON: test/vectors/json, and agreement with protobuf's own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from anyplug import AnyplugError, JsonTypes
from anyplug_generated.anyplug.test.v1 import Everything
from anyplug_generated.anyplug.test.v1.test_anyplug import Test as TestService
from google.protobuf import json_format  # type: ignore[import-untyped]
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from . import upb

ROOT = Path(__file__).parents[3]
NAME = "anyplug.test.v1.Everything"
TYPES = JsonTypes([(ROOT / "generated" / "descriptors.binpb").read_bytes()])


def named(file: str) -> pytest.MarkDecorator:
    vectors = json.loads((ROOT / "test" / "vectors" / "json" / file).read_text())
    assert vectors
    return pytest.mark.parametrize("vector", vectors, ids=lambda vector: vector["name"])


def options(vector: dict[str, Any], of: str) -> dict[str, bool]:
    """The options of a vector by the names that they have in Python."""
    return {re.sub("[A-Z]", lambda m: "_" + m[0].lower(), name): on for name, on in vector.get(of, {}).items()}


@named("messages.json")
def test_messages(vector: dict[str, Any]) -> None:
    name, data = vector.get("type", NAME), bytes.fromhex(vector["bytes"])
    if "json" in vector:
        assert TYPES.json_to_bytes(name, vector["json"], **options(vector, "read")) == data
    assert TYPES.bytes_to_json(name, data, **options(vector, "write")) == vector.get("out", vector.get("json"))


def refuse(vector: dict[str, Any], name: str) -> None:
    if "json" in vector:
        TYPES.json_to_bytes(name, vector["json"], **options(vector, "read"))
    else:
        TYPES.bytes_to_json(name, bytes.fromhex(vector["bytes"]))


@named("refused.json")
def test_refused(vector: dict[str, Any]) -> None:
    name = vector.get("type", NAME)
    with pytest.raises(AnyplugError) as raised:
        refuse(vector, name)
    expected = vector["error"]
    error = str(raised.value)
    assert (error if "json" in vector else error[: len(expected)]) == expected


def test_generated_messages() -> None:
    types = JsonTypes([TestService])
    text = '{"int64Value":"-7","labels":{"a":"b"},"timestamp":"2024-02-29T12:00:00.500Z","choiceText":""}'
    message = types.from_json(Everything, text)
    assert (message.int64_value, message.labels, message.choice_text) == (-7, {"a": "b"}, "")
    assert types.to_json(message) == (
        '{"int64Value":"-7","labels":{"a":"b"},"choiceText":"","timestamp":"2024-02-29T12:00:00.500Z"}'
    )
    assert types.has("greeter.v1.GreetRequest") is False


def test_nothing_is_read_so_deep_that_the_codec_would_refuse_it() -> None:
    for levels in ('{"child":' * 100 + "{}" + "}" * 100, '{"byId":{"1":' * 50 + "{}" + "}}" * 50):
        assert TYPES.to_json(TYPES.from_json(Everything, levels)) == levels


def test_a_class_that_was_not_generated_is_refused() -> None:
    with pytest.raises(AnyplugError, match="not a generated message type"):
        TYPES.from_json(dict, "{}")  # type: ignore[type-var]


def test_a_descriptor_set_that_is_none_is_refused_by_the_first_use() -> None:
    types = JsonTypes([b"\xff"])
    with pytest.raises(AnyplugError, match="a descriptor set cannot be used"):
        types.json_to_bytes(NAME, "{}")


def theirs_of(message: Any) -> str | None:
    try:
        return str(json_format.MessageToJson(message))
    except (TypeError, ValueError, json_format.Error):
        return None


def ours_of(message: Any) -> str | None:
    try:
        return TYPES.bytes_to_json(NAME, message.SerializeToString())
    except AnyplugError:
        return None


@settings(max_examples=60)
@given(upb.messages())
def test_protobuf_means_the_same(message: Any) -> None:
    # A Value without a value is null for protobuf's Python, and has no JSON in other languages.
    assume(not upb.has_valueless(message))
    theirs, ours = theirs_of(message), ours_of(message)
    if theirs is None or ours is None:
        assert theirs == ours
        return
    assert json.loads(ours, parse_int=float) == json.loads(theirs, parse_int=float)
    read = upb.Everything.FromString(TYPES.json_to_bytes(NAME, theirs))
    assert upb.meaning(read) == upb.meaning(json_format.Parse(theirs, upb.Everything()))


_texts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([field.json_name for field in upb.Everything.DESCRIPTOR.fields]), inner)
    ),
).map(json.dumps)


@given(_texts | st.text(max_size=20), st.booleans())
def test_whatever_is_read_is_read_or_refused(text: str, ignore: bool) -> None:
    try:
        data = TYPES.json_to_bytes(NAME, text, ignore_unknown_members=ignore)
    except AnyplugError:
        return
    written = TYPES.bytes_to_json(NAME, data)
    assert TYPES.bytes_to_json(NAME, TYPES.json_to_bytes(NAME, written)) == written


@given(st.binary(max_size=60))
def test_whatever_bytes_are_written_are_written_or_refused(data: bytes) -> None:
    try:
        written = TYPES.bytes_to_json(NAME, data)
    except AnyplugError:
        return
    assert TYPES.bytes_to_json(NAME, TYPES.json_to_bytes(NAME, written)) == written
