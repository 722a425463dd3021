"""The benchmark's schema for grpcio, with protobuf's own classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]

__all__ = ("COUNT", "ECHO", "SERVICE", "message")

SERVICE = "anyplug.bench.v1.BenchService"
ECHO = f"/{SERVICE}/Echo"
COUNT = f"/{SERVICE}/Count"

_DESCRIPTORS = Path(__file__).resolve().parents[4] / "generated/descriptors.binpb"


def _pool() -> Any:
    files = descriptor_pb2.FileDescriptorSet.FromString(_DESCRIPTORS.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(next(file for file in files.file if file.name == "anyplug/bench/v1/bench.proto"))
    return pool


_POOL = _pool()


def message(name: str) -> Any:
    """Returns the class of a message of the benchmark's schema."""
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"anyplug.bench.v1.{name}"))
