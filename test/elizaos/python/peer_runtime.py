"""A plugin of ours in the published runtime of ElizaOS for Python."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from anyplug import AnyplugError, LogRecord, load_plugin
from anyplug.elizaos import ElizaosBridge
from elizaos import AgentRuntime, Character
from elizaos.types.memory import Memory
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
            WEATHER / "python", transport=transport, services=bridge.services, grants=GRANTS, on_log=records.append
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
