"""Plugins in WebAssembly modules: what they may take, and how they are replaced when they fail."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import cast

import pytest
from anyplug import AnyplugError, CallOptions, Code, LogRecord, WasmLimits, load_plugin
from anyplug_generated.anyplug.test.v1 import EchoRequest, HarmRequestKind
from anyplug_generated.anyplug.test.v1.test_anyplug import Test

from .conftest import TEST_PLUGINS, run

MODULE = TEST_PLUGINS["rust"] / "bin" / "test-plugin.wasm"
LIMITS = WasmLimits()


def test_a_module_that_is_not_there_or_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.wasm"
    with pytest.raises(AnyplugError, match="there is no plugin at") as missing:
        load_plugin(file).open()
    assert missing.value.code is Code.NOT_FOUND
    file.write_bytes(b"(module)")
    with pytest.raises(AnyplugError) as refused:
        load_plugin(file).open()
    assert (refused.value.code, refused.value.message) == (
        Code.INVALID_ARGUMENT,
        f"{file} is no WebAssembly module",
    )


@pytest.mark.between_languages
def test_a_module_needs_no_manifest() -> None:
    with load_plugin(MODULE, wasm=LIMITS) as plugin:
        assert (plugin.name, plugin.transport) == ("test-plugin", "wasm")
        assert plugin.manifest["language"] == "rust"
        assert "call_timeout: epochs" in plugin.enforced
        client = plugin.client(Test)
        assert client.echo(text="hello").text == "hello"
    with pytest.raises(AnyplugError, match="the connection ended") as ended:
        client.echo(text="x")
    assert ended.value.code is Code.UNAVAILABLE


@pytest.mark.between_languages
def test_a_plugin_that_traps_is_replaced_when_the_next_call_comes() -> None:
    records: list[LogRecord] = []
    with load_plugin(MODULE, wasm=LIMITS, on_log=records.append) as plugin:
        client = plugin.client(Test)
        for _ in range(3):
            with pytest.raises(AnyplugError, match='plugin "test-plugin" trapped: ') as trapped:
                client.harm(kind=HarmRequestKind.KILL)
            assert trapped.value.code is Code.INTERNAL
            assert client.echo(text="again").text == "again"
            assert plugin.close_reason is None


@pytest.mark.between_languages
def test_a_plugin_that_traps_is_replaced_in_a_loop_too() -> None:
    async def main() -> None:
        async with load_plugin(MODULE, wasm=LIMITS) as plugin:
            client = plugin.client(Test)
            for _ in range(3):
                with pytest.raises(AnyplugError, match='plugin "test-plugin" trapped: '):
                    await client.harm(kind=HarmRequestKind.KILL)
                assert (await client.echo(text="again")).text == "again"

    run(main())


@pytest.mark.between_languages
def test_a_plugin_that_hangs_is_stopped_at_the_deadline_or_at_its_limit() -> None:
    options = CallOptions(timeout=0.05)
    with load_plugin(MODULE, wasm=LIMITS) as plugin:
        client = plugin.client(Test)
        with pytest.raises(AnyplugError) as late:
            client.harm(kind=HarmRequestKind.HANG, options=options)
        assert late.value.code is Code.DEADLINE_EXCEEDED
        assert client.echo(text="again").text == "again"
    with load_plugin(MODULE, wasm=WasmLimits(call_timeout=2.0)) as plugin:
        client = plugin.client(Test)
        with pytest.raises(AnyplugError, match='plugin "test-plugin" was stopped after ') as stopped:
            client.harm(kind=HarmRequestKind.HANG)
        assert stopped.value.code is Code.DEADLINE_EXCEEDED
        assert client.echo(text="again").text == "again"


@pytest.mark.between_languages
def test_other_threads_go_on_while_a_guest_runs() -> None:
    limits = WasmLimits(call_timeout=30.0)
    with load_plugin(MODULE, wasm=limits) as plugin, load_plugin(MODULE, wasm=LIMITS) as other:
        hanging = plugin.client(Test)
        ended: list[Code] = []

        def hang() -> None:
            try:
                hanging.harm(kind=HarmRequestKind.HANG, options=CallOptions(timeout=0.5))
            except AnyplugError as error:
                ended.append(error.code)

        thread = threading.Thread(target=hang)
        thread.start()
        # While it hangs or not: nobody notices.
        for _ in range(100):
            assert other.client(Test).echo(text="x").text == "x"
        thread.join()
        assert ended == [Code.DEADLINE_EXCEEDED]


@pytest.mark.between_languages
def test_limits_are_those_that_were_given() -> None:
    with pytest.raises(AnyplugError, match=r"raise wasm\.max_memory_bytes") as small:
        load_plugin(MODULE, wasm=WasmLimits(max_memory_bytes=65_536)).open()
    assert small.value.code is Code.RESOURCE_EXHAUSTED
    with load_plugin(MODULE, wasm=WasmLimits(fuel=50_000_000)) as plugin:
        client = plugin.client(Test)
        with pytest.raises(AnyplugError, match=r"used up its 50000000 units of fuel") as used:
            client.harm(kind=HarmRequestKind.HANG)
        assert used.value.code is Code.RESOURCE_EXHAUSTED
        assert client.echo(text="again").text == "again"
        assert "fuel: by the engine" in plugin.enforced


@pytest.mark.between_languages
def test_instances_of_a_pool_share_the_calls() -> None:
    async def main() -> None:
        async with load_plugin(MODULE, wasm=WasmLimits(instances=3)) as plugin:
            client = plugin.client(Test)
            waits = [asyncio.ensure_future(client.wait(ms=20)) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(AnyplugError, match="trapped"):
                await client.harm(kind=HarmRequestKind.KILL)
            await asyncio.gather(*waits)

    run(main())


@pytest.mark.between_languages
def test_calls_of_a_method_after_its_first_take_what_the_first_takes() -> None:
    class Own(EchoRequest):
        """A class of the user's own."""

    message = Own(text="own", data=b"", everything=None)

    def check(echo: str, own: str) -> None:
        assert (echo, own) == ("text", "own")

    with load_plugin(MODULE, wasm=LIMITS) as plugin:
        client = plugin.client(Test)
        for _ in range(3):
            check(client.echo(text="text").text, client.echo(message).text)
            with pytest.raises(AnyplugError) as refused:
                client.echo(text=cast("str", 1))
            assert refused.value.code is Code.INVALID_ARGUMENT

    async def main() -> None:
        async with load_plugin(MODULE, wasm=LIMITS) as plugin:
            client = plugin.client(Test)
            for _ in range(3):
                check((await client.echo(text="text")).text, (await client.echo(message)).text)
                texts = await asyncio.gather(*(client.echo(text=str(number)) for number in range(100)))
                assert [response.text for response in texts] == [str(number) for number in range(100)]

    run(main())
