"""What a plugin adds to an agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from ._agent import Agent, OnText, RegisteringAgent
from ._json import Json, JsonObject
from ._values import ActionResult, Content, Memory, ProviderResult, State

__all__ = (
    "Action",
    "AgentPluginDefinition",
    "AgentService",
    "Evaluator",
    "EventHandler",
    "HttpFields",
    "Invocation",
    "ModelCall",
    "ModelHandler",
    "Provider",
    "Question",
    "Route",
    "RouteRequest",
    "RouteResponse",
)

T = TypeVar("T")
Awaitably: TypeAlias = T | Awaitable[T]
"""A handler may be ``def`` or ``async def``. Both run on the event loop; what would block it belongs into a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an action or an evaluator is validated with, and a provider asked."""

    message: Memory
    state: State
    agent: Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What an action or an evaluator is called with."""

    message: Memory
    state: State
    agent: Agent
    options: JsonObject
    responses: Sequence[Memory]
    """What was answered before, oldest first."""
    say: Callable[[Content], None]
    """Says something now, before the result."""


Validate: TypeAlias = Callable[[Question], Awaitably[bool]]
Invoke: TypeAlias = Callable[[Invocation], Awaitably[ActionResult | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that an agent can do."""

    name: str
    handler: Invoke
    """Acts. Without a result it succeeded. What it raises is the result's error."""
    description: str = ""
    similes: Sequence[str] = ()
    """Other names by which a model may ask for it."""
    examples: Sequence[Json] | None = None
    priority: int = 0
    tags: Sequence[str] = ()
    parameters: JsonObject | None = None
    """A JSON Schema."""
    validate: Validate | None = None
    """Whether it makes sense for the message. By default it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Something that an agent can know."""

    name: str
    get: Callable[[Question], Awaitably[ProviderResult]]
    description: str = ""
    dynamic: bool = False
    """Asked only when it is named."""
    position: int = 0
    """The lower, the earlier in the state's text."""
    private: bool = False
    """Not listed to a model, and asked only when it is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """Something that looks at a message after it was answered."""

    name: str
    handler: Invoke
    description: str = ""
    similes: Sequence[str] = ()
    always_run: bool = False
    """Also when the agent did not answer."""
    examples: Sequence[Json] | None = None
    validate: Validate | None = None
    """Whether it wants to look. By default it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentService:
    """Something that runs until it is stopped."""

    type: str
    start: Callable[[Agent], Awaitably[None]]
    stop: Callable[[Agent], Awaitably[None]]
    description: str = ""


class HttpFields:
    """Query parameters or headers: pairs, of which a name may come more than once. Case does not matter to headers."""

    __slots__ = ("_fold", "pairs")

    def __init__(self, pairs: Sequence[tuple[str, str]] = (), *, ignore_case: bool = False) -> None:
        self.pairs = tuple(pairs)
        self._fold = str.lower if ignore_case else str

    def get(self, name: str) -> str | None:
        """Returns the first value of that name, or None."""
        return next(iter(self.get_all(name)), None)

    def get_all(self, name: str) -> list[str]:
        """Returns all values of that name."""
        wanted = self._fold(name)
        return [value for own, value in self.pairs if self._fold(own) == wanted]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRequest:
    """A request to a route."""

    path: str
    """As the plugin described it, without the parameters filled in."""
    method: str
    params: Mapping[str, str]
    query: HttpFields
    headers: HttpFields
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteResponse:
    """The answer of a route. A body that is neither text nor bytes is sent as JSON; without one it is empty."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | Json = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An HTTP route."""

    path: str
    """Below the plugin's own: "/status" of the plugin "weather" is "/weather/status". ":name" stands for a segment."""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "STATIC"]
    handler: Callable[[RouteRequest, Agent], Awaitably[RouteResponse]]
    name: str = ""
    public: bool = False
    multipart: bool = False


EventHandler: TypeAlias = Callable[[Json, Agent], Awaitably[object]]
"""Takes an event's payload, and the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """What a model is run with beside its parameters."""

    agent: Agent
    give: OnText
    """Takes the pieces of text as they come."""


ModelHandler: TypeAlias = Callable[[Json, ModelCall], Awaitably[Json]]
"""Runs a model with parameters, and returns the whole answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPluginDefinition:
    """What a plugin adds to an agent."""

    name: str
    description: str = ""
    priority: int = 0
    """Plugins with a higher one are asked first."""
    dependencies: Sequence[str] = ()
    """Names of plugins that are registered before this one."""
    init: Callable[[JsonObject, RegisteringAgent], Awaitably[object]] | None = None
    """Called once, before all else, with the configuration. What it raises refuses the registration."""
    actions: Sequence[Action] = ()
    providers: Sequence[Provider] = ()
    evaluators: Sequence[Evaluator] = ()
    services: Sequence[AgentService] = ()
    routes: Sequence[Route] = ()
    events: Mapping[str, Sequence[EventHandler]] = field(default_factory=dict)
    """Handlers by the type of the event; they are called one after the other."""
    models: Mapping[str, ModelHandler] = field(default_factory=dict)
    """By the type of the model."""
