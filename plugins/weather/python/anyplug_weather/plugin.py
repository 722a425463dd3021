"""A plugin that has one of everything that agents know. What happens to it, it tells to the agent's log."""

from __future__ import annotations

import json

from anyplug import AnyplugError, Code, LogLevel, define_plugin
from anyplug.agent import (
    Action,
    ActionResult,
    Agent,
    AgentPluginDefinition,
    AgentService,
    Content,
    Evaluator,
    Invocation,
    Json,
    JsonObject,
    Memory,
    ModelCall,
    Provider,
    ProviderResult,
    Question,
    Route,
    RouteRequest,
    RouteResponse,
    agent_plugin,
)

__all__ = ("plugin", "weather")


async def init(config: JsonObject, agent: Agent) -> None:
    """Takes the city from the configuration, or else from the agent's settings."""
    city = config.get("city")
    if city == "":
        raise AnyplugError(Code.INVALID_ARGUMENT, "city: expected a name, got nothing")
    agent.log(LogLevel.INFO, f"init {city or await agent.get_setting('CITY')}")


async def forecast(invocation: Invocation) -> ActionResult:
    """Says something, remembers something, and returns something."""
    invocation.say(Content(text="Let me look."))
    asked = Memory(content=Content(text="asked"), room_id="r")
    id_ = await invocation.agent.memories.create(asked, "questions")
    invocation.say(Content(text=f"It is {invocation.state.values['season']}."))
    return ActionResult(
        success=True,
        text=f"Rain, {invocation.message.content.extra.get('mood')}.",
        values={"rain": True},
        data={"id": len(id_)},
        extra={"confidence": 0.5},
    )


def umbrella(invocation: Invocation) -> ActionResult:
    """Depends on what the forecast returned."""
    return ActionResult(success=invocation.state.values.get("rain") is True)


def fail(_invocation: Invocation) -> None:
    """Cannot be done."""
    raise AnyplugError(Code.UNAVAILABLE, "the clouds are gone")


async def sing(invocation: Invocation) -> ActionResult:
    """Says what a model of the agent gives."""
    text = await invocation.agent.use_model(
        "TEXT_SMALL", invocation.options, lambda piece: invocation.say(Content(text=piece))
    )
    return ActionResult(success=True, text=str(text))


async def echo(invocation: Invocation) -> ActionResult:
    """Returns what it was called with."""
    state = await invocation.agent.compose_state(invocation.message, include=["CITY"], only_included=True)
    return ActionResult(
        success=True,
        data={
            "message": invocation.message.to_json(),
            "options": invocation.options,
            "responses": [response.to_json() for response in invocation.responses],
            "state": state.to_json(),
        },
    )


async def city(question: Question) -> ProviderResult:
    """Reads a setting."""
    return ProviderResult(text=f"In {await question.agent.get_setting('CITY')}.", data={"lat": 50.7})


def stars(_question: Question) -> ProviderResult:
    """Cannot be seen."""
    raise AnyplugError(Code.UNAVAILABLE, "cloudy")


def of_city(request: RouteRequest, _agent: Agent) -> RouteResponse:
    """Returns what it was asked with."""
    return RouteResponse(
        status=201,
        headers={"x-kind": request.headers.get("X-Kind") or ""},
        body={"city": request.params["name"], "q": request.query.get_all("q"), "text": request.body.decode()},
    )


def on_map(request: RouteRequest, _agent: Agent) -> RouteResponse:
    """Returns what lies below the path."""
    return RouteResponse(body=f"map {request.params['*']}")


def refuse(_request: RouteRequest, _agent: Agent) -> RouteResponse:
    """Answers nobody."""
    raise AnyplugError(Code.PERMISSION_DENIED, "not for you")


def storm(payload: Json, agent: Agent) -> None:
    """Tells what came."""
    agent.log(LogLevel.INFO, f"storm {json.dumps(payload, separators=(',', ':'))}")


async def gust(payload: Json, agent: Agent) -> None:
    """Causes itself."""
    agent.log(LogLevel.INFO, "gust")
    await agent.emit_event("gust", payload)


def small(params: Json, call: ModelCall) -> Json:
    """Gives two words, and returns them with the parameters."""
    for word in ("a ", "b "):
        call.give(word)
    return f"a b {json.dumps(params, separators=(',', ':'))}"


weather = AgentPluginDefinition(
    name="weather",
    description="Knows the weather",
    init=init,
    actions=[
        Action(
            name="FORECAST",
            description="Tells the weather of tomorrow",
            similes=["PREDICT_WEATHER"],
            validate=lambda question: "weather" in (question.message.content.text or ""),
            handler=forecast,
        ),
        Action(name="UMBRELLA", handler=umbrella),
        Action(name="BREAK", handler=fail),
        Action(name="SING", validate=lambda _: False, handler=sing),
        Action(name="ECHO", validate=lambda _: False, handler=echo),
    ],
    providers=[
        Provider(
            name="SEASON",
            position=2,
            get=lambda _: ProviderResult(text="It is autumn.", values={"season": "autumn"}),
        ),
        Provider(name="CITY", position=1, get=city),
        Provider(name="DIARY", private=True, get=lambda _: ProviderResult(text="Dear diary.")),
        Provider(name="MOON", dynamic=True, position=-1, get=lambda _: ProviderResult(text="Full moon.")),
        Provider(name="STARS", get=stars),
    ],
    evaluators=[
        Evaluator(name="LEARN", handler=lambda one: ActionResult(success=True, text=str(len(one.responses)))),
        Evaluator(
            name="COUNT",
            always_run=True,
            validate=lambda question: question.state.text != "",
            handler=lambda _: None,
        ),
    ],
    services=[
        AgentService(
            type="station",
            start=lambda agent: agent.log(LogLevel.INFO, "start"),
            stop=lambda agent: agent.log(LogLevel.INFO, "stop"),
        )
    ],
    routes=[
        Route(path="/city/:name", method="POST", handler=of_city),
        Route(
            path="/maps", method="STATIC", handler=lambda request, _: RouteResponse(body=f"map {request.params['*']}")
        ),
        Route(path="/refuse", method="GET", handler=refuse),
    ],
    events={"storm": [storm, lambda _, agent: agent.log(LogLevel.INFO, "second")], "gust": [gust]},
    models={"TEXT_SMALL": small},
)
"""What the plugin adds to an agent."""

plugin = define_plugin(name="weather", version="0.1.0", services=[agent_plugin(weather)])
"""The plugin, to be loaded."""
