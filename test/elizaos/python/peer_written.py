"""A plugin that is written for ElizaOS's Python runtime, in an agent of ours: in this process and in one of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from anyplug import AnyplugError, Code, LogRecord, PluginLoad, load_plugin
from anyplug.agent import AgentPluginDefinition, AgentRuntime, Content, Json, Memory, ModelCall
from anyplug.elizaos import published_plugin

WRITTEN = Path(__file__).resolve().parents[1] / "written"
GRANTS = ("agent.settings", "agent.state", "agent.memory", "agent.model", "agent.events")
SHIP = Memory(content=Content(text="a ship", data={"mood": "grey"}))


def load(agent: AgentRuntime, **options: Any) -> PluginLoad:  # noqa: ANN401 - any of its options
    # ElizaOS is in this environment alone, which finds our distribution by path.
    here: dict[str, Any] = {"python": sys.executable, "env": {"PYTHONPATH": os.environ["PYTHONPATH"]}}
    return load_plugin(WRITTEN, services=agent.services, grants=GRANTS, start_timeout=60, **here, **options)


def small(_params: Json, call: ModelCall) -> Json:
    for piece in ("la ", "la"):
        call.give(piece)
    return "la la"


HOST = AgentPluginDefinition(name="host", models={"TEXT_SMALL": small})


def chosen(name: str) -> list[Memory]:
    return [Memory(content=Content(actions=[name]))]


async def check(agent: AgentRuntime, records: list[LogRecord]) -> None:
    assert [record.message for record in records] == ["init Ghent 36 Ada", "pilot of Ada starts"]
    said: list[str | None] = []
    [moored] = await agent.process_actions(
        SHIP, chosen("DOCK"), options={"parameters": {"berth": "a"}}, on_content=lambda one, _: said.append(one.text)
    )
    assert (moored.name, moored.result.text, said) == ("MOOR", "True Ghent", ["Tide: high"])
    assert moored.result.data == {
        "berth": "a",
        "kept": "a ship",
        "listed": 1,
        "none": True,
        "responses": 1,
        "mood": "grey",
    }
    [refused] = await agent.process_actions(SHIP, chosen("REFUSE"))
    assert (refused.result.success, refused.result.error) == (False, "no berth is free")
    [sung] = await agent.process_actions(SHIP, chosen("SING"))
    assert sung.result.text == "la |la"
    [asked] = await agent.process_actions(SHIP, chosen("ROOMS"))
    assert "the agent has no runtime.get_rooms" in (asked.result.error or "")

    [moor, *_] = agent.list("actions")
    assert "A ship comes" in moor.description.examples_json
    assert '"enum":["a","b"]' in moor.description.parameters_json
    assert [one.description.name for one in await agent.valid_actions(Memory(content=Content(text="a car")))] == []
    [noted] = await agent.run_evaluators(SHIP, [])
    assert noted.result.text == "The tide is high."

    [route] = agent.routes
    answer = await route.plugin.handle_route(
        "/ships/:name",
        "POST",
        params={"name": "Argo"},
        query=[("q", "1"), ("q", "2")],
        headers=[("Content-Type", "application/json")],
        body=b'{"x": 1}',
    )
    assert (answer.status, dict(answer.headers)["x-port"]) == (201, "Ghent")
    assert b'"body":{"x":1}' in answer.body.replace(b" ", b"")
    await agent.emit_event("horn", {"times": 3})
    assert await agent.use_model("TEXT_LARGE", {"prompt": "hello"}) == "Ghent: hello [{'times': 3}]"
    pieces: list[str] = []
    assert await agent.use_model("TEXT_LARGE_STREAM", {"prompt": "in pieces"}, pieces.append) == "inpieces"
    assert pieces == ["in", "pieces"]
    await agent.unregister_plugin("harbour")
    assert records[-1].message == "pilot stops"


def test_a_written_plugin_is_served_to_an_agent() -> None:
    async def main() -> None:
        records: list[LogRecord] = []
        agent = AgentRuntime(name="Ada")
        await agent.register_plugin(HOST)
        async with load(agent, on_log=records.append) as plugin:
            await agent.register_plugin(plugin, config={"PORT": "Ghent"})
            await check(agent, records)

    asyncio.run(main())


def test_a_written_plugin_is_one_of_this_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(WRITTEN))
    monkeypatch.delitem(sys.modules, "harbour", raising=False)
    import harbour

    async def main() -> None:
        records: list[LogRecord] = []
        agent = AgentRuntime(name="Ada", on_log=records.append)
        await agent.register_plugin(HOST)
        await agent.register_plugin(published_plugin(harbour.plugin), config={"PORT": "Ghent"})
        await check(agent, records)

    asyncio.run(main())


def test_what_a_plugin_raises_before_it_is_registered_refuses_it() -> None:
    async def main() -> None:
        agent = AgentRuntime()
        async with load(agent) as plugin:
            with pytest.raises(AnyplugError, match=r"no runtime\.missing") as failed:
                await agent.register_plugin(plugin, config={"PORT": None, "ASK": "missing"})
            assert failed.value.code is Code.UNIMPLEMENTED
            assert agent.plugins == ()

    asyncio.run(main())
