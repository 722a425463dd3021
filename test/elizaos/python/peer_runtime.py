"""A plugin of ours in the published runtime of ElizaOS for Python."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from anyplug import AnyplugError, LogRecord, load_plugin
from anyplug.agent import (
    Action,
    ActionResult,
    Agent,
    AgentPluginDefinition,
    Evaluator,
    Invocation,
    Route,
    RouteRequest,
    RouteResponse,
    local_peer,
)
from anyplug.agent import Memory as AgentMemory
from anyplug.elizaos import ElizaosBridge
from anyplug.elizaos._values import their_memory
from elizaos import AgentRuntime, Character
from elizaos.types.memory import Memory
from elizaos.types.plugin import RouteRequest as ElizaRouteRequest
from elizaos.types.plugin import RouteResponse as ElizaRouteResponse
from elizaos.types.primitives import Content

WEATHER = Path(__file__).resolve().parents[3] / "plugins" / "weather"
GRANTS = ("agent.settings", "agent.state", "agent.memory", "agent.model", "agent.events")


class Kept:
    """A database that keeps what is created; the distribution has none."""

    def __init__(self) -> None:
        self.created: list[tuple[Any, str]] = []

    async def create_memory(self, memory: Any, table: str, _unique: bool | None) -> str:  # noqa: ANN401
        self.created.append((memory, table))
        return "00000000-0000-0000-0000-000000000009"


@pytest.mark.parametrize("transport", ["direct", "process"])
def test_a_plugin_does_in_elizaos_what_it_does_with_ours(transport: Any) -> None:  # noqa: ANN401
    async def main() -> None:
        records: list[LogRecord] = []
        database = Kept()
        runtime = AgentRuntime(character=Character(name="Ada", bio="tests"), adapter=database)
        runtime.set_setting("CITY", "Bonn")
        bridge = ElizaosBridge()
        loading = load_plugin(
            WEATHER / "python",
            transport=transport,
            services=bridge.services,
            grants=GRANTS,
            start_timeout=60,
            on_log=records.append,
        )
        async with loading as plugin:
            await runtime.register_plugin(await bridge.plugin(plugin))
            assert [record.message for record in records] == ["init Bonn", "start"]
            message = Memory(id="m1", room_id="r1", content=Content(text="How is the weather?"))
            message.content.data.update({"kind": "question"})
            state = await runtime.compose_state(message, ["SEASON", "CITY"], True)
            assert state.text == "In Bonn.\nIt is autumn."

            actions = {action.name: action for action in runtime.actions}
            assert await actions["FORECAST"].validate(runtime, message, state)
            assert not await actions["SING"].validate(runtime, message, state)
            said: list[str] = []

            async def callback(content: Content) -> list[Memory]:
                said.append(content.text)
                return []

            echoed = await actions["ECHO"].handler(runtime, message, state, None, callback, [])
            assert echoed.success
            told = dict(echoed.data["message"]["content"].items())
            assert (told["text"], dict(told["data"].items())) == ("How is the weather?", {"kind": "question"})
            sung = await actions["SING"].handler(runtime, message, state, None, callback, [])
            assert sung.text.startswith("a b ")
            pieces = [piece async for piece in runtime.use_model_stream("TEXT_SMALL_STREAM", {"n": 1})]
            assert pieces == ["a ", "b "]
            with pytest.raises(AnyplugError, match="the clouds are gone"):
                await actions["BREAK"].handler(runtime, message, state, None, callback, [])
            forecast = await actions["FORECAST"].handler(runtime, message, state, None, callback, [])
            # A content of ElizaOS has no members beyond its schema, so there is no mood.
            assert (forecast.text, forecast.values["rain"]) == ("Rain, None.", True)
            assert said == ["Let me look.", "It is autumn."]
            [(kept, table)] = database.created
            assert (kept.content.text, kept.room_id, table) == ("asked", "r", "questions")
            await runtime.emit_event("storm", {"force": 9})
            assert [record.message for record in records[2:]] == ['storm {"force":9}', "second"]
            await runtime.get_service("station").stop()
            assert records[-1].message == "stop"

    asyncio.run(main())


def test_elizaos_knows_what_a_plugin_says_of_its_actions_and_routes() -> None:
    async def act(given: Invocation) -> ActionResult:
        told = await given.agent.memories.get("m2")
        return ActionResult(data={"options": given.options, "metadata": told.metadata, "state": given.state.values})

    def show(request: RouteRequest, _agent: Agent) -> RouteResponse:
        body = {"name": request.params["name"], "q": request.query.get_all("q"), "body": request.body.decode()}
        return RouteResponse(status=201, headers={"x-kind": request.headers.get("X-Kind") or ""}, body=body)

    said = {"name": "Ada", "content": {"text": "Go", "mood": "grey"}}
    schema = {"type": "object", "properties": {"where": {"type": "string", "enum": ["a", "b"]}}}
    definition = AgentPluginDefinition(
        name="shown",
        actions=[
            Action(name="GO", handler=act, examples=[[said]], parameters=schema),
            Action(name="ODD", handler=lambda _: None, examples=["no conversation"]),
        ],
        evaluators=[
            Evaluator(
                name="LOOK",
                handler=lambda _: None,
                examples=[{"prompt": "p", "messages": [said], "outcome": "o"}],
            )
        ],
        routes=[Route(path="/shown/:name", method="POST", handler=show)],
    )

    class Remembering(Kept):
        async def get_memory_by_id(self, _id: str) -> Any:  # noqa: ANN401
            return their_memory(AgentMemory(id="m2", metadata={"type": "note", "free": {"n": 1}}))

    async def main() -> None:
        runtime = AgentRuntime(character=Character(name="Ada", bio="tests"), adapter=Remembering())
        bridge = ElizaosBridge()
        peer = local_peer(definition, name="elizaos", services=bridge.services)
        await runtime.register_plugin(await bridge.plugin(peer))
        go, odd = runtime.actions
        assert [[one.name for one in talk] for talk in go.examples] == [["Ada"]]
        assert (go.examples[0][0].content.text, go.examples[0][0].content.data["mood"]) == ("Go", "grey")
        assert odd.examples == []
        [where] = go.parameters
        assert (where.name, where.required, list(where.schema.enum_values)) == ("where", False, ["a", "b"])
        [look] = runtime.evaluators
        assert (look.examples[0].outcome, look.examples[0].messages[0].content.text) == ("o", "Go")

        message = Memory(id="m1", room_id="r1", content=Content(text="Go"))
        answer = Memory(content=Content(actions=["GO"]))
        await runtime.process_actions(message, [answer], None, None)
        [result] = runtime.get_action_results("m1")
        assert "parameters" in result.data["options"]
        given = SimpleNamespace(parameters={"where": "b"}, parameter_errors=[])
        result = await go.handler(runtime, message, None, given, None, [])
        assert dict(result.data["options"]["parameters"]) == {"where": "b"}
        assert dict(result.data["metadata"]["free"]) == {"n": 1}

        [route] = (await bridge.plugin(peer)).routes
        response = ElizaRouteResponse()
        asked = ElizaRouteRequest(params={"name": "x"}, query={"q": ["1", "2"]}, headers={"x-kind": "k"}, body={"a": 1})
        await route.handler(asked, response, runtime)
        assert (response._status_code, response._headers["x-kind"], response.headers_sent) == (201, "k", True)
        assert json.loads(response._body) == {"name": "x", "q": ["1", "2"], "body": '{"a": 1}'}

    asyncio.run(main())
