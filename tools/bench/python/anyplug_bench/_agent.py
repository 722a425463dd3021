"""An action of an agent's plugin, invoked by anyplug's own host."""

from __future__ import annotations

from anyplug import load_plugin
from anyplug.agent import Content, InvokeArguments, Memory, Registration, State

from ._clock import SMALL, async_measurements, serve_async
from ._loop import run_on

__all__ = ("serve",)


def serve(name: str, language: str, loop: str) -> None:
    """Serves rounds: with the weather plugin of a language as a child process, or with none Python's in this one."""
    run_on(loop, _serve(language))


async def _serve(language: str) -> None:
    message, state = Memory(content=Content(text="m" * SMALL)), State(values={"rain": True})
    arguments = InvokeArguments(message=message, state=state)
    folder = f"plugins/weather/{language or 'python'}"
    async with load_plugin(folder, transport="process" if language else "direct") as plugin:
        weather = await Registration.of(plugin)

        async def echo(_: int) -> None:
            if not (await weather.invoke_action("UMBRELLA", arguments)).success:
                raise RuntimeError("the action failed")

        runs = async_measurements(echo)
        await serve_async({what: runs[what] for what in ("latency", "throughput")})
