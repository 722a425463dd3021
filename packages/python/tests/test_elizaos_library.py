"""Plugins that are shared libraries with ElizaOS's C ABI: the cases of all languages, and what is given back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest
from anyplug import AnyplugError, Code, load_plugin
from anyplug.agent import AgentRuntime, Content, InvokeArguments, Memory, Registration, State
from anyplug.elizaos import LibraryPlugin, load_library_plugin, load_rust_plugin

from .agent_cases import assert_matches
from .conftest import ROOT, run

pytestmark = pytest.mark.between_languages

FOLDER = ROOT / "test" / "elizaos" / "library"
CASES: dict[str, Any] = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
ASKED: dict[str, Any] = CASES["asked"]


def library(name: str) -> Path:
    return FOLDER / "bin" / f"{name}.so"


@contextlib.asynccontextmanager
async def loaded(path: Path) -> AsyncIterator[tuple[LibraryPlugin, Registration]]:
    async with load_library_plugin(path) as plugin:
        yield plugin, await Registration.of(plugin.for_agent(AgentRuntime()))


async def ask(calls: Registration, case: dict[str, Any]) -> Any:
    name = case.get("name", "")
    asked = {"content": {"text": case["text"]}} if "text" in case else ASKED["memory"]
    memory, state = Memory.from_json(asked), State.from_json(ASKED["state"])
    arguments = InvokeArguments(message=memory, state=state, options=ASKED["options"])
    match case["do"]:
        case "init":
            return await calls.init("a1", "agent", case["config"])
        case "validateAction":
            return await calls.validate_action(name, memory, state)
        case "invokeAction":
            return (await calls.invoke_action(name, arguments)).to_json()
        case "getProvider":
            return (await calls.get_provider(name, memory, state)).to_json()
        case "validateEvaluator":
            return await calls.validate_evaluator(name, memory, state)
        case _:
            return (await calls.invoke_evaluator(name, arguments)).to_json()


async def assert_fails(asking: Awaitable[object], code: str, says: list[str]) -> None:
    with pytest.raises(AnyplugError) as failed:
        await asking
    assert failed.value.code.name == code, failed.value
    for words in says:
        assert words in failed.value.message


async def check(calls: Registration, case: dict[str, Any]) -> None:
    if "code" in case:
        return await assert_fails(ask(calls, case), case["code"], case["says"])
    answer = await ask(calls, case)
    assert_matches(answer, case.get("expect"))
    for name in case.get("echoes", ()):
        assert answer["data"][name] == ASKED[name]
    return None


async def echo(calls: Registration, text: str) -> str:
    memory, state = Memory(content=Content(text=text)), State.from_json(ASKED["state"])
    result = await calls.invoke_action("ECHO", InvokeArguments(message=memory, state=state))
    said: str = dict(result.data or {})["memory"]["content"]["text"]
    return said


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["library"])
def test_what_is_no_plugin_says_why(case: dict[str, Any]) -> None:
    with pytest.raises(AnyplugError) as refused:
        load_rust_plugin(library(case["library"]))
    assert refused.value.code.name == case["code"]
    for words in case["says"]:
        assert words in refused.value.message


def test_it_does_for_an_agent_whatever_its_library_does() -> None:
    async def main() -> None:
        async with loaded(FOLDER) as (plugin, calls):
            assert (plugin.definition.name, plugin.definition.description) == ("ledger", "Keeps count")
            for case in CASES["calls"]:
                await check(calls, case)

    run(main())


@pytest.mark.parametrize("case", CASES["lacking"], ids=lambda case: f"{case['library']}: {case['do']}")
def test_a_library_may_lack_functions(case: dict[str, Any]) -> None:
    async def main() -> None:
        async with loaded(library(case["library"])) as (_, calls):
            await check(calls, case)

    run(main())


def test_many_and_large_calls_are_made_one_at_a_time_and_all_that_was_returned_is_given_back() -> None:
    async def main() -> None:
        async with loaded(library("ledger")) as (_, calls):
            for length in (0, 65_536, 1 << 20):
                text = "ü" * (length // 2)
                assert await echo(calls, text) == text
            texts = [f"text {index}" for index in range(200)]
            assert await asyncio.gather(*(echo(calls, text) for text in texts)) == texts
            for name in ("BYTES", "TEXT"):
                with contextlib.suppress(AnyplugError):
                    await ask(calls, {"do": "invokeAction", "name": name})
            counted = await ask(calls, {"do": "getProvider", "name": "COUNTS"})
            assert counted["values"] == {"kept": 0, "foreign": 0, "together": 0, "hindering": 0}

    run(main())


def test_an_agent_registers_it_with_a_configuration_of_which_it_may_refuse_one() -> None:
    async def main() -> None:
        # As ElizaOS loads it: at once.
        plugin = load_rust_plugin(library("ledger"))
        agent = AgentRuntime()
        refused = agent.register_plugin(plugin.for_agent(agent), config={"refuse": True})
        says = ["it refused its configuration: elizaos_init returned -7"]
        await assert_fails(refused, "FAILED_PRECONDITION", says)
        await agent.register_plugin(plugin.for_agent(agent), config={"key": "Schlüssel"})
        state = await agent.compose_state(Memory())
        assert (state.text, state.values["kept"]) == ("counted", 0)
        await plugin.close()

    run(main())


def test_closing_it_lets_calls_end_and_refuses_those_that_come_later() -> None:
    async def main() -> None:
        texts = [f"text {index}" for index in range(50)]
        async with loaded(library("ledger")) as (plugin, calls):
            first, *rest = [asyncio.ensure_future(echo(calls, text)) for text in texts]
            # The first is within the library, or has been.
            await first
            await plugin.close()
            assert await asyncio.gather(*rest) == texts[1:]
            late = ask(calls, {"do": "validateAction", "name": "ECHO"})
            await assert_fails(late, "UNAVAILABLE", ['plugin "ledger" was closed'])
            assert (await plugin.wait_closed()).code is Code.UNAVAILABLE
        async with loaded(library("ledger")) as (_, calls):
            assert await echo(calls, "once more") == "once more"

    run(main())


def test_each_load_has_a_library_of_its_own_and_the_file_may_be_replaced(tmp_path: Path) -> None:
    async def main() -> None:
        file = tmp_path / "plugin.so"
        shutil.copyfile(library("ledger"), file)
        async with loaded(file) as (_, first):
            shutil.copyfile(library("no_init"), file)
            async with loaded(file) as (_, second):
                config = {"do": "init", "config": {"a": 1}}
                await assert_fails(ask(second, config), "UNIMPLEMENTED", [])
                await ask(first, config)
                assert await echo(first, "the old one") == "the old one"

    run(main())


@pytest.mark.parametrize(
    ("interop", "code", "says"),
    [
        ({"protocol": "ffi"}, "FAILED_PRECONDITION", "interop.sharedLibPath is missing"),
        ({"sharedLibPath": "../x.so"}, "INVALID_ARGUMENT", "leaves the plugin's folder"),
        ({"sharedLibPath": "none.so"}, "NOT_FOUND", "none.so"),
    ],
)
def test_a_manifest_that_names_no_library_or_one_outside_says_so(
    tmp_path: Path, interop: dict[str, str], code: str, says: str
) -> None:
    manifest = {"name": "x", "description": "", "version": "1.0.0", "language": "rust", "interop": interop}
    (tmp_path / "plugin.json").write_text(json.dumps(manifest))
    with pytest.raises(AnyplugError, match=says) as refused:
        load_rust_plugin(tmp_path)
    assert refused.value.code.name == code


def test_a_host_says_who_can_load_it() -> None:
    with pytest.raises(AnyplugError, match="it is one of ElizaOS, by its C ABI: load it by load_library_plugin"):
        load_plugin(library("ledger")).open()


def test_it_is_served_to_any_host_by_a_process_of_its_own(tmp_path: Path) -> None:
    shutil.copyfile(library("ledger"), tmp_path / "ledger.so")
    interop = {"ipcCommand": "python -m anyplug.elizaos ./ledger.so"}
    manifest = {"name": "ledger", "description": "", "version": "1.0.0", "language": "python", "interop": interop}
    (tmp_path / "plugin.json").write_text(json.dumps(manifest))

    async def main() -> None:
        path = {"PYTHONPATH": os.pathsep.join(sys.path)}
        async with load_plugin(tmp_path, python=sys.executable, env=path) as plugin:
            assert (plugin.name, plugin.transport) == ("ledger", "process")
            calls = await Registration.of(plugin)
            for case in CASES["calls"]:
                await check(calls, case)

    run(main())


def test_a_process_for_what_is_no_library_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "anyplug.elizaos", str(tmp_path / "none.so")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "none.so" in ended.stderr
    assert "Traceback" not in ended.stderr
