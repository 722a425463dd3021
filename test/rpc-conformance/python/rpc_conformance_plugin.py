"""The suite's service as a plugin."""

from anyplug import Limits, define_plugin, implement
from rpc_conformance._service import ConformanceService
from rpc_conformance_generated.connectrpc.conformance.v1.service_anyplug import Conformance

__all__ = ("MAX_MESSAGE_BYTES", "plugin")

MAX_MESSAGE_BYTES = 200 * 1024
"""What the runner asks of every server."""

plugin = define_plugin(
    name="rpc-conformance",
    version="0.1.0",
    services=[implement(Conformance, ConformanceService())],
    limits=Limits(max_message_bytes=MAX_MESSAGE_BYTES),
)
