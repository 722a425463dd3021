"""The messages that are fuzzed, as classes of upb's."""

from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.protobuf.internal import api_implementation  # type: ignore[import-untyped]

__all__ = ("MESSAGES", "REQUEST", "RESPONSE", "ROOT")

ROOT = Path(__file__).parents[3]

if api_implementation.Type() != "upb":
    raise ImportError("the package protobuf is here without upb, the implementation that is compared with")


def _classes(file: str, *names: str) -> list[Any]:
    pool = descriptor_pool.DescriptorPool()
    for proto in descriptor_pb2.FileDescriptorSet.FromString((ROOT / file).read_bytes()).file:
        pool.Add(proto)
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names]


_TEST_ALL = "protobuf_test_messages.proto3.TestAllTypesProto3"
_EVERYTHING = "anyplug.test.v1.Everything"
_all_types, REQUEST, RESPONSE = _classes(
    "test/conformance/descriptors.binpb", _TEST_ALL, "conformance.ConformanceRequest", "conformance.ConformanceResponse"
)
(_everything,) = _classes("generated/descriptors.binpb", _EVERYTHING)

MESSAGES: dict[str, Any] = {_TEST_ALL: _all_types, _EVERYTHING: _everything}
