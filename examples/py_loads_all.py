"""Loads every plugin in every language, and prints what came back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from anyplug import AnyplugError, Implementation, Plugin, load_plugin
from anyplug.agent import AgentRuntime, Content, Memory
from anyplug_generated.anyplug.test.v1.test_anyplug import Test
from anyplug_generated.eliza_classic.v1.eliza_anyplug import Eliza
from anyplug_generated.inmemorydb.v1 import Entry, SetManyRequest
from anyplug_generated.inmemorydb.v1.inmemorydb_anyplug import InMemoryDb

PLUGINS = Path(__file__).resolve().parents[1] / "plugins"
LANGUAGES = {"typescript": "ts", "python": "python", "rust": "rust"}


@dataclass
class Question:
    """What is asked of a plugin, and what it is loaded with."""

    ask: Callable[[Plugin], Awaitable[str]]
    services: Sequence[Implementation] = ()
    grants: Sequence[str] = ()


def eliza() -> Question:
    async def ask(plugin: Plugin) -> str:
        return (await plugin.client(Eliza).reply(text="Men are all alike.")).text

    return Question(ask)


def in_memory_db() -> Question:
    async def ask(plugin: Plugin) -> str:
        db = plugin.client(InMemoryDb)
        entries = [
            Entry(key="east", vector=[1, 0]),
            Entry(key="north", vector=[0, 1]),
            Entry(key="north-east", vector=[1, 1]),
        ]
        await db.set_many([SetManyRequest(collection="winds", entries=entries)])
        matches = (await db.search(collection="winds", vector=[0, 2], top_k=2)).matches
        return ", ".join(f"{match.entry.key} {match.score:.3f}" for match in matches if match.entry is not None)

    return Question(ask)


def weather() -> Question:
    """A plugin for agents: it calls back the agent, which grants that."""
    agent = AgentRuntime(settings={"CITY": "Bonn"})

    async def ask(plugin: Plugin) -> str:
        await agent.register_plugin(plugin)
        question = Memory(content=Content(text="Where, and when?"))
        state = await agent.compose_state(question, include=["CITY", "SEASON"], only_included=True)
        await agent.unregister_plugin("weather")
        return state.text.replace("\n", " ")

    grants = ("agent.settings", "agent.state", "agent.memory", "agent.model", "agent.events")
    return Question(ask, agent.services, grants)


def echo() -> Question:
    async def ask(plugin: Plugin) -> str:
        return (await plugin.client(Test).echo(text="hello")).text

    return Question(ask)


QUESTIONS = {"eliza-classic": eliza, "inmemorydb": in_memory_db, "weather": weather, "test-plugin": echo}


async def row(name: str, language: str) -> tuple[bool, Sequence[str]]:
    """Returns a line of the table; what went wrong stands where the answer would be."""
    try:
        question = QUESTIONS[name]()
        folder = PLUGINS / name / LANGUAGES[language]
        async with load_plugin(folder, services=question.services, grants=question.grants) as plugin:
            return True, (name, language, plugin.transport, await question.ask(plugin))
    except AnyplugError as error:
        return False, (name, language, "-", str(error))


async def main() -> int:
    """Returns the exit status."""
    rows = await asyncio.gather(*(row(name, language) for name in QUESTIONS for language in LANGUAGES))
    for name, language, transport, answer in (
        ("plugin", "language", "transport", "what came back"),
        *(columns for _, columns in rows),
    ):
        print(f"{name:15}{language:12}{transport:11}{answer}")
    return 0 if all(ok for ok, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
