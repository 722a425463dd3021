"""The contract between an agent and its plugins, ``anyplug.agent.v1``.

What a plugin adds to an agent, what the agent offers to it, and an agent that is small and complete. It needs the extra
``anyplug[agent]``; `serve_routes` needs ``anyplug[http]``.
"""

from typing import TYPE_CHECKING, Any

from ._agent import Agent, CallingAgent, Memories, RegisteringAgent
from ._define import (
    Action,
    AgentPluginDefinition,
    AgentService,
    Evaluator,
    EventHandler,
    HttpFields,
    Invocation,
    ModelCall,
    ModelHandler,
    Provider,
    Question,
    Route,
    RouteRequest,
    RouteResponse,
)
from ._json import Json, JsonObject, is_object
from ._local import LocalPeer, local_peer
from ._memories import InMemoryMemories
from ._plugin import agent_plugin
from ._registration import AgentPeer, InvokeArguments, Owned, Registration, RouteAnswer
from ._runtime import AgentRuntime, NamedResult
from ._services import AgentBehind, agent_services
from ._values import ActionResult, Content, Memory, ProviderResult, State

if TYPE_CHECKING:
    from ._routes import RouteServer, serve_routes

__all__ = (
    "Action",
    "ActionResult",
    "Agent",
    "AgentBehind",
    "AgentPeer",
    "AgentPluginDefinition",
    "AgentRuntime",
    "AgentService",
    "CallingAgent",
    "Content",
    "Evaluator",
    "EventHandler",
    "HttpFields",
    "InMemoryMemories",
    "Invocation",
    "InvokeArguments",
    "Json",
    "JsonObject",
    "LocalPeer",
    "Memories",
    "Memory",
    "ModelCall",
    "ModelHandler",
    "NamedResult",
    "Owned",
    "Provider",
    "ProviderResult",
    "Question",
    "RegisteringAgent",
    "Registration",
    "Route",
    "RouteAnswer",
    "RouteRequest",
    "RouteResponse",
    "RouteServer",
    "State",
    "agent_plugin",
    "agent_services",
    "is_object",
    "local_peer",
    "serve_routes",
)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    """Imports what needs a server library when it is asked for."""
    if name in ("RouteServer", "serve_routes"):
        from . import _routes  # noqa: PLC0415 - not all hosts have the library

        return getattr(_routes, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
