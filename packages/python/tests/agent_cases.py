"""Runs the cases of test/agent/cases.json, which the agents of all languages share."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from anyplug import AnyplugError, LogLevel, LogRecord
from anyplug.agent import (
    Action,
    AgentPluginDefinition,
    AgentRuntime,
    Memory,
    NamedResult,
    RouteServer,
)

from .conftest import ROOT

__all__ = ("CASES", "Script", "assert_matches")

CASES: list[dict[str, Any]] = json.loads((ROOT / "test" / "agent" / "cases.json").read_text())


def assert_matches(actual: Any, expected: Any, where: str = "it") -> None:
    """Objects may have more members than is expected, lists may not have more elements."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, member in expected.items():
            assert name in actual, f"{where}.{name} is missing: {actual}"
            assert_matches(actual[name], member, f"{where}.{name}")
    elif isinstance(expected, list) and isinstance(actual, list):
        assert len(actual) == len(expected), f"{where}: {actual}"
        for index, (one, other) in enumerate(zip(actual, expected, strict=True)):
            assert_matches(one, other, f"{where}[{index}]")
    else:
        assert actual == expected, where


class Script:
    """The steps of a case, on an agent."""

    def __init__(
        self,
        agent: AgentRuntime,
        records: list[LogRecord],
        server: RouteServer,
        register_weather: Callable[[dict[str, Any]], Awaitable[object]],
    ) -> None:
        self.agent = agent
        self.records = records
        self.server = server
        self.register_weather = register_weather

    async def run(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            action = getattr(self, f"do_{step['do']}")
            if "fails" in step:
                code, message = step["fails"]
                with pytest.raises(AnyplugError) as failure:
                    await action(step)
                assert failure.value.code.name == code
                assert message in failure.value.message
            else:
                result = await action(step)
                if "expect" in step:
                    assert_matches(result, step["expect"], step["do"])

    async def do_plugins(self, _: dict[str, Any]) -> list[str]:
        return list(self.agent.plugins)

    async def do_seen(self, _: dict[str, Any]) -> list[str]:
        return self._take(lambda level: level is LogLevel.INFO)

    async def do_warned(self, _: dict[str, Any]) -> list[str]:
        return self._take(lambda level: level > LogLevel.INFO)

    def _take(self, wanted: Callable[[LogLevel], bool]) -> list[str]:
        taken = [record for record in self.records if wanted(record.level)]
        self.records[:] = [record for record in self.records if not wanted(record.level)]
        return [record.message for record in taken]

    async def do_registerWeather(self, step: dict[str, Any]) -> None:
        await self.register_weather(step.get("config", {}))

    async def do_register(self, step: dict[str, Any]) -> None:
        plugin = dict(step["plugin"])
        actions = [Action(name=name, handler=lambda _: None) for name in plugin.pop("actions", ())]
        await self.agent.register_plugin(AgentPluginDefinition(**plugin, actions=actions))

    async def do_unregister(self, step: dict[str, Any]) -> bool:
        return await self.agent.unregister_plugin(step["plugin"])

    async def do_list(self, step: dict[str, Any]) -> list[list[str]]:
        return [[one.plugin.name, one.description.name] for one in self.agent.list(step["kind"])]

    async def do_compose(self, step: dict[str, Any]) -> Any:
        message = Memory.from_json(step["message"])
        only_included = step.get("onlyIncluded", False)
        state = await self.agent.compose_state(message, include=step.get("include", ()), only_included=only_included)
        return state.to_json()

    async def do_validActions(self, step: dict[str, Any]) -> list[str]:
        actions = await self.agent.valid_actions(Memory.from_json(step["message"]))
        return [action.description.name for action in actions]

    async def do_process(self, step: dict[str, Any]) -> list[Any]:
        said: list[list[str | None]] = []
        results = await self.agent.process_actions(
            Memory.from_json(step["message"]),
            [Memory.from_json(response) for response in step["responses"]],
            options=step.get("options"),
            on_content=lambda content, name: said.append([name, content.text]),
        )
        assert said == step["said"]
        return _results(results)

    async def do_evaluate(self, step: dict[str, Any]) -> list[Any]:
        responses = [Memory.from_json(response) for response in step["responses"]]
        return _results(await self.agent.run_evaluators(Memory.from_json(step["message"]), responses))

    async def do_emit(self, step: dict[str, Any]) -> None:
        await self.agent.emit_event(step["type"], step["payload"])

    async def do_model(self, step: dict[str, Any]) -> Any:
        pieces: list[str] = []
        result = await self.agent.use_model(step["model"], step["params"], pieces.append)
        assert pieces == step["pieces"]
        return result

    async def do_remember(self, step: dict[str, Any]) -> str:
        return await self.agent.memories.create(Memory.from_json(step["memory"]), step.get("table", ""))

    async def do_memories(self, step: dict[str, Any]) -> list[Any]:
        return [memory.to_json() for memory in await self.agent.memories.list(**_query(step))]

    async def do_similar(self, step: dict[str, Any]) -> list[Any]:
        found = await self.agent.memories.search(step["embedding"], **_query(step))
        return [memory.to_json() for memory in found]

    async def do_change(self, step: dict[str, Any]) -> None:
        await self.agent.memories.update(Memory.from_json(step["memory"]))

    async def do_forget(self, step: dict[str, Any]) -> None:
        await self.agent.memories.delete(step["id"])

    async def do_request(self, step: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(_request, self.server.url, step)


def _query(step: dict[str, Any]) -> dict[str, Any]:
    names = {"roomId": "room_id", "entityId": "entity_id"}
    return {names.get(name, name): value for name, value in step["query"].items()}


def _results(results: Any) -> list[Any]:
    def as_json(one: NamedResult) -> dict[str, Any]:
        return {"name": one.name, "plugin": one.plugin, "result": one.result.to_json()}

    return [as_json(one) for one in results]


def _request(url: str, step: dict[str, Any]) -> dict[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(step["method"], step["path"], body=step.get("body"), headers=step.get("headers", {}))
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return {"status": answer.status, "headers": headers, "body": answer.read().decode()}
    finally:
        connection.close()
