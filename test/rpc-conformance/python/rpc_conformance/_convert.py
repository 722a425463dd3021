"""Between what anyplug has and what the suite's messages say."""

from collections.abc import Iterable

from anyplug import AnyplugError, Code, Detail, Metadata
from anyplug.codegen.v1 import Message
from rpc_conformance_generated.connectrpc.conformance.v1 import Code as WireCode
from rpc_conformance_generated.connectrpc.conformance.v1 import Error, Header
from rpc_conformance_generated.google.protobuf import Any

__all__ = ("error_of", "headers_of", "metadata_of", "pack", "report_of")


def pack(message: Message) -> Any:
    """Returns a message with its type."""
    return Any.pack(message)


def headers_of(metadata: Metadata) -> list[Header]:
    """Returns metadata by names, in the order in which these came first."""
    headers: dict[str, list[str]] = {}
    for name, value in metadata:
        headers.setdefault(name, []).append(value)
    return [Header(name=name, value=values) for name, values in headers.items()]


def metadata_of(headers: Iterable[Header]) -> Metadata:
    """Returns headers as metadata, whose keys are in lower case."""
    return tuple((header.name.lower(), value) for header in headers for value in header.value)


def report_of(error: AnyplugError) -> Error:
    """Returns an error as a client reports it."""
    details = [Any(type_url=detail.type_url, value=detail.value) for detail in error.details]
    return Error(code=WireCode(int(error.code)), message=error.message, details=details)


def error_of(error: Error, *details: Message) -> AnyplugError:
    """Returns the error that a request asks for, with other details behind its own."""
    own = [Detail(any_.type_url, any_.value) for any_ in error.details]
    return AnyplugError(Code(int(error.code)), error.message or "", details=[*own, *details])
