"""Schemas that differ from the plugin's."""

from __future__ import annotations

import dataclasses
from typing import Any

from anyplug import Code, ServiceDescriptor
from anyplug.codegen.v1 import Caller, Client
from anyplug_generated.anyplug.test.v1 import EchoRequest, FailRequest
from anyplug_generated.anyplug.test.v1.test_anyplug import Test, TestClient

from .cell import Cell, failure

__all__ = (
    "a_compatible_schema_is_accepted",
    "a_configuration_that_is_too_large_is_refused",
    "a_message_that_cannot_be_parsed_ends_its_call",
    "a_plugin_can_refuse_its_configuration",
    "an_incompatible_schema_is_refused",
)

# Types of a field, by the numbers of google.protobuf.FieldDescriptorProto.Type.
_INT32 = 5
_BYTES = 12


async def an_incompatible_schema_is_refused(cell: Cell) -> None:
    load = cell.load(expect=[_with_text_of_type(_INT32)])
    await failure(load, Code.FAILED_PRECONDITION, "anyplug.test.v1.EchoRequest.text", "FIELD_TYPE")


async def a_compatible_schema_is_accepted(cell: Cell) -> None:
    expected = _with_text_of_type(_BYTES)
    async with cell.load(expect=[expected]) as plugin:
        assert (await plugin.client(expected).echo(text="fits")).text == "fits"


async def a_message_that_cannot_be_parsed_ends_its_call(cell: Cell) -> None:
    plugin = await cell.plugin()
    transport = plugin.transport_to(Test)
    # A part of EchoRequest is to be a message, and a part of FailRequest text.
    echo = dataclasses.replace(Test.methods[0], input=FailRequest)
    await failure(transport.unary(echo, FailRequest(detail="\x07"), None), Code.INTERNAL, "cannot be parsed")
    echo = dataclasses.replace(Test.methods[0], output=FailRequest)
    await failure(transport.unary(echo, EchoRequest(data=b"\xff"), None), Code.INTERNAL, "cannot be parsed")
    assert (await plugin.client(Test).echo(text="goes on")).text == "goes on"


async def a_configuration_that_is_too_large_is_refused(cell: Cell) -> None:
    # {"text":"…"}
    load = cell.load(config={"text": "x" * (131_057 - 11)})
    await failure(load, Code.INVALID_ARGUMENT, 'plugin "test-plugin" takes 131057 bytes', "131056")


async def a_plugin_can_refuse_its_configuration(cell: Cell) -> None:
    refusal = "line 7: a rule without an end"
    await failure(cell.load(config={"refuse": refusal}), Code.INVALID_ARGUMENT, refusal)


def _with_text_of_type(field_type: int) -> ServiceDescriptor[TestClient, Any, Any]:
    """TestService as of another build, in which EchoRequest.text has another type."""
    descriptors = bytearray(Test.descriptor_set)
    message = descriptors.index(b"\n\x0bEchoRequest")
    field = descriptors.index(b"\n\x04text\x18\x01 \x01(\x09R\x04text", message)
    # After name, number and label.
    descriptors[field + 11] = field_type

    def client(caller: Caller) -> TestClient:
        made = TestClient.__new__(TestClient)
        Client.__init__(made, caller, service)
        return made

    service = dataclasses.replace(
        Test, fingerprint="of another build", descriptor_set=bytes(descriptors), client=client
    )
    return service


def with_missing_method() -> ServiceDescriptor[Any, Any, Any]:
    """TestService with one more method than the plugin has, and a fingerprint that does not tell."""
    missing = dataclasses.replace(Test.methods[0], name="Missing", local_name="missing")
    return dataclasses.replace(Test, methods=(*Test.methods, missing))
