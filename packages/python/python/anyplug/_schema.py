"""Descriptors as the native module takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from ._descriptor import ServiceDescriptor

__all__ = ("ServiceParts", "service_parts")

ServiceParts: TypeAlias = tuple[str, str, bytes, list[tuple[str, str, bool, int, str]]]


def service_parts(service: ServiceDescriptor[Any, Any, Any]) -> ServiceParts:
    """Returns name, fingerprint, descriptor set and methods of a service."""
    methods = [
        (method.name, method.kind.value, method.idempotent, method.default_timeout_ms, method.required_capability)
        for method in service.methods
    ]
    return service.name, service.fingerprint, service.descriptor_set, methods
