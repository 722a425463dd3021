"""An agent, with the cases that the agents of all languages share, and what is Python's own."""

from __future__ import annotations

from typing import Any

import pytest
from anyplug import AnyplugError, Code, LogRecord, load_plugin
from anyplug.agent import (
    Action,
    ActionResult,
    Agent,
    AgentPluginDefinition,
    AgentRuntime,
    Content,
    Json,
    Memory,
    State,
    agent_plugin,
    serve_routes,
)

from .agent_cases import CASES, Script
from .conftest import ROOT, run

WEATHER = ROOT / "plugins" / "weather"
CAPABILITIES = ("agent.settings", "agent.state", "agent.memory", "agent.model", "agent.events")


async def run_case(steps: list[dict[str, Any]], language: str, transport: str) -> None:
    records: list[LogRecord] = []
    agent = AgentRuntime(name="Ada", settings={"CITY": "Bonn"}, on_log=records.append)
    async with serve_routes(agent, max_body_bytes=16) as server:
        if transport == "local":
            from anyplug_weather.plugin import weather

            async def register(config: dict[str, Any]) -> None:
                await agent.register_plugin(weather, config=config)

            await register({})
            await Script(agent, records, server, register).run(steps)
            return
        loading = load_plugin(
            WEATHER / language,
            transport=transport,  # type: ignore[arg-type]
            services=agent.services,
            grants=CAPABILITIES,
            start_timeout=60,
            on_log=records.append,
        )
        async with loading as plugin:

            async def register_loaded(config: dict[str, Any]) -> None:
                await agent.register_plugin(plugin, config=config)

            await register_loaded({})
            await Script(agent, records, server, register_loaded).run(steps)
            await agent.unregister_plugin("weather")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("transport", ["local", "direct", "process"])
def test_an_agent_and_a_plugin(case: dict[str, Any], transport: str) -> None:
    run(run_case(case["steps"], "python", transport))


@pytest.mark.between_languages
@pytest.mark.parametrize("language", ["ts", "rust"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_an_agent_and_a_plugin_in_another_language(case: dict[str, Any], language: str) -> None:
    run(run_case(case["steps"], language, "process"))


def test_an_event_harms_no_other_handler() -> None:
    seen: list[Json] = []

    def fail(_payload: Json, _agent: Agent) -> None:
        raise RuntimeError("blown away")

    async def main() -> list[LogRecord]:
        records: list[LogRecord] = []
        agent = AgentRuntime(on_log=records.append)
        await agent.register_plugin(AgentPluginDefinition(name="fragile", priority=1, events={"storm": [fail]}))
        sturdy = AgentPluginDefinition(name="sturdy", events={"storm": [lambda payload, _: seen.append(payload)]})
        await agent.register_plugin(sturdy)
        await agent.emit_event("storm", {"force": 9})
        return records

    assert [record.message for record in run(main())] == [
        'event storm of plugin "fragile" failed: RuntimeError: blown away'
    ]
    assert seen == [{"force": 9}]


def test_a_plugin_that_ends_is_unregistered() -> None:
    async def main() -> tuple[list[str], tuple[str, ...]]:
        records: list[LogRecord] = []
        agent = AgentRuntime(on_log=records.append)
        loading = load_plugin(
            WEATHER / "python", transport="process", services=agent.services, grants=CAPABILITIES, start_timeout=60
        )
        async with loading as plugin:
            registration = await agent.register_plugin(plugin)
            watch = agent._watches[registration]
        await watch
        return [record.message for record in records], tuple(agent.plugins)

    [message], plugins = run(main())
    assert message.startswith('plugin "weather" is unregistered: ')
    assert plugins == ()


def test_a_plugin_learns_who_the_agent_is_when_it_is_registered() -> None:
    seen: list[str] = []

    async def main() -> str:
        agent = AgentRuntime(name="Ada")
        init = lambda _, registering: seen.extend((registering.id, registering.name))  # noqa: E731
        await agent.register_plugin(AgentPluginDefinition(name="curious", init=init))
        return agent.id

    assert [run(main()), "Ada"] == seen


def test_a_name_comes_once() -> None:
    action = Action(name="A", handler=lambda _: None)
    with pytest.raises(AnyplugError, match='action "A" is defined twice'):
        agent_plugin(AgentPluginDefinition(name="twice", actions=[action, action]))


def test_values_are_json_and_back() -> None:
    told = {"id": "1", "createdAt": 5, "who": "you", "content": {"text": "hi", "inReplyTo": "0", "mood": [1.5]}}
    memory = Memory.from_json(told)
    assert memory.created_at == 5
    assert memory.content == Content(text="hi", in_reply_to="0", extra={"mood": [1.5]})
    assert memory.to_json() == told
    assert Memory.from_json({"content": "only text", "id": None}) == Memory(content=Content(text="only text"))
    assert Memory.from_json(None) == Memory()
    assert State.from_json({"text": "t", "x": 1}).to_json() == {"text": "t", "values": {}, "data": {}, "x": 1}
    failed = ActionResult.from_json({"success": False, "error": {"line": 7}})
    assert failed == ActionResult(success=False, error='{"line":7}')


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"content": {"text": 5}}, "memory.content.text: expected text, got 5"),
        ({"embedding": [1, True]}, "memory.embedding: expected a list of numbers, got [1,true]"),
        ([], "memory: expected an object, got []"),
        ({"content": {"actions": "A"}}, 'memory.content.actions: expected a list of texts, got "A"'),
    ],
)
def test_a_value_that_is_none_is_refused(told: Json, message: str) -> None:
    with pytest.raises(AnyplugError) as failure:
        Memory.from_json(told)
    assert (failure.value.code, failure.value.message) == (Code.INVALID_ARGUMENT, message)


def test_what_json_does_not_know_is_refused_by_its_name() -> None:
    async def main() -> None:
        agent = AgentRuntime()
        await agent.register_plugin(AgentPluginDefinition(name="model", models={"M": lambda params, _: params}))
        assert await agent.use_model("M", {"half": "\ud800", "big": 2**70}) == {"half": "\ud800", "big": 2**70}
        await agent.use_model("M", {"at": float("nan")})

    with pytest.raises(AnyplugError, match="params has no JSON: Out of range float values"):
        run(main())
