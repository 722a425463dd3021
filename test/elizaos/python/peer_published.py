"""A plugin that was published for ElizaOS's TypeScript runtime, served unchanged to an agent in Python."""

from __future__ import annotations

import asyncio
from pathlib import Path

from anyplug import load_plugin
from anyplug.agent import AgentRuntime, Content, Memory

PUBLISHED = Path(__file__).resolve().parents[1] / "published"
GRANTS = ("agent.settings", "agent.state", "agent.memory", "agent.model", "agent.events")


def test_a_published_plugin_is_served_to_python() -> None:
    async def main() -> None:
        agent = AgentRuntime()
        async with load_plugin(PUBLISHED, services=agent.services, grants=GRANTS, start_timeout=60) as plugin:
            await agent.register_plugin(plugin)
            assert "sad" in (await agent.use_model("TEXT_LARGE", {"prompt": "I am sad."})).lower()
            said: list[str | None] = []
            [result] = await agent.process_actions(
                Memory(content=Content(text="I am sad.")),
                [Memory(content=Content(actions=["ELIZA_CHAT"]))],
                on_content=lambda content, _: said.append(content.text),
            )
            assert result.result.success
            assert len(said) == 1
            await agent.unregister_plugin("eliza-classic")

    asyncio.run(main())
