"""The Python codec under test.

Reads requests of the conformance runner from standard input, each behind its length (u32, little-endian), and answers
each the same way on standard output.
"""

import struct
import sys
from pathlib import Path
from typing import BinaryIO

import betterproto2
from anyplug import JsonTypes
from anyplug_generated.anyplug.test.v1 import Everything
from conformance_generated.conformance import ConformanceRequest, ConformanceResponse, TestCategory, WireFormat
from conformance_generated.protobuf_test_messages.proto3 import TestAllTypesProto3

_MESSAGES: dict[str, type[betterproto2.Message]] = {
    "protobuf_test_messages.proto3.TestAllTypesProto3": TestAllTypesProto3,
    "anyplug.test.v1.Everything": Everything,
}


_JSON = JsonTypes([(Path(__file__).parents[1] / "descriptors.binpb").read_bytes()])


def answer(request: ConformanceRequest) -> ConformanceResponse:
    """Returns the response to a request; what is not proto3, or neither binary nor JSON, is skipped."""
    message_type = _MESSAGES.get(request.message_type)
    if message_type is None:
        return ConformanceResponse(skipped=f"there is no {request.message_type}")
    if request.protobuf_payload is None and request.json_payload is None:
        return ConformanceResponse(skipped="neither binary nor JSON")
    # Whatever is raised: the runner judges.
    try:
        message = _read(message_type, request)
    except Exception as error:
        return ConformanceResponse(parse_error=f"{type(error).__name__}: {error}")
    try:
        return _write(message, request.requested_output_format)
    except Exception as error:
        return ConformanceResponse(serialize_error=f"{type(error).__name__}: {error}")


def _read(message_type: type[betterproto2.Message], request: ConformanceRequest) -> betterproto2.Message:
    if request.protobuf_payload is not None:
        return message_type.parse(request.protobuf_payload)
    ignore = request.test_category == TestCategory.JSON_IGNORE_UNKNOWN_PARSING_TEST
    return _JSON.from_json(message_type, request.json_payload or "", ignore_unknown_members=ignore)


def _write(message: betterproto2.Message, output: WireFormat) -> ConformanceResponse:
    if output == WireFormat.PROTOBUF:
        return ConformanceResponse(protobuf_payload=bytes(message))
    if output == WireFormat.JSON:
        return ConformanceResponse(json_payload=_JSON.to_json(message))
    return ConformanceResponse(skipped=f"to {output.name}")


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answers every request until the input ends."""
    while head := source.read(4):
        (length,) = struct.unpack("<I", head)
        response = bytes(answer(ConformanceRequest.parse(source.read(length))))
        sink.write(struct.pack("<I", len(response)) + response)
        sink.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
