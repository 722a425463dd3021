"""A plugin that is defined in the agent's own program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from .._context import PeerInfo
from .._descriptor import ServiceDescriptor
from .._direct import DirectLink, DirectSide
from .._handler import Implementation
from .._log import OnLog, log_to_logging
from .._transport import Transport
from .._version import RUNTIME
from ._define import AgentPluginDefinition
from ._plugin import agent_plugin

__all__ = ("LocalPeer", "local_peer")

ClientT = TypeVar("ClientT")
_MOST_PENDING = 1000


class LocalPeer:
    """A plugin in this program, as an agent registers it. There is nothing to close."""

    def __init__(self, link: DirectLink) -> None:
        self._link = link

    def client(self, service: ServiceDescriptor[ClientT, Any, Any]) -> ClientT:
        """Returns a client for one of its services."""
        return service.client(self)

    def transport_to(self, service: ServiceDescriptor[Any, Any, Any], /) -> Transport:
        """Returns what carries calls to ``service``. Generated clients call it."""
        return self._link.transport_to(service)


def local_peer(
    definition: AgentPluginDefinition,
    *,
    name: str = "agent",
    services: Iterable[Implementation] = (),
    on_log: OnLog | None = None,
) -> LocalPeer:
    """Connects a definition to the services of its agent. It is the program's own code, and may call all of them."""
    write = on_log or log_to_logging(definition.name)
    host = DirectSide(PeerInfo(name, "", RUNTIME), tuple(services), None, None, write, _MOST_PENDING)
    served = (agent_plugin(definition),)
    plugin = DirectSide(PeerInfo(definition.name, "", RUNTIME), served, None, None, write, _MOST_PENDING)
    return LocalPeer(DirectLink(host, plugin))
