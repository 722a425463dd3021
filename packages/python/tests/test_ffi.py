"""Plugins in shared libraries."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from anyplug import AnyplugError, CallOptions, Code, FfiOptions, load_plugin
from anyplug_generated.anyplug.test.v1.test_anyplug import Test

from .conftest import TEST_PLUGINS, run

CASES = Path(__file__).parents[3] / "test" / "ffi"

LIBRARY = TEST_PLUGINS["rust"] / "bin" / ("libtest-plugin.dylib" if sys.platform == "darwin" else "libtest-plugin.so")


def test_a_file_that_is_no_library_is_named(tmp_path: Path) -> None:
    file = tmp_path / "libx.so"
    with pytest.raises(AnyplugError, match="there is no plugin at") as missing:
        load_plugin(file).open()
    assert missing.value.code is Code.NOT_FOUND
    file.write_text("no library")
    with pytest.raises(AnyplugError) as refused:
        load_plugin(file).open()
    assert (refused.value.code, refused.value.message) == (Code.INVALID_ARGUMENT, f"{file} is no shared library")


@pytest.mark.between_languages
def test_a_library_needs_no_manifest() -> None:
    with load_plugin(LIBRARY) as plugin:
        assert (plugin.name, plugin.version, plugin.transport) == ("test-plugin", "0.1.0", "ffi")
        assert (plugin.manifest["name"], plugin.manifest["language"]) == ("test-plugin", "rust")
        assert plugin.enforced == ("isolation: none",)
        client = plugin.client(Test)
        assert client.echo(text="hello").text == "hello"
    with pytest.raises(AnyplugError) as ended:
        client.echo(text="x")
    assert ended.value.code is Code.UNAVAILABLE
    assert ended.value.message == 'the connection ended: plugin "test-plugin" was closed'


@pytest.mark.between_languages
def test_calls_that_take_a_while_end_from_another_thread() -> None:
    with load_plugin(LIBRARY) as plugin:
        client = plugin.client(Test)
        client.wait(ms=5)
        assert [answer.index for answer in client.count(count=300)] == list(range(300))
        with pytest.raises(AnyplugError) as late:
            client.wait(ms=60_000, options=CallOptions(timeout=0.02))
        assert late.value.code is Code.DEADLINE_EXCEEDED


@pytest.mark.between_languages
def test_threads_call_at_once() -> None:
    failures: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for call in range(200):
                assert client.echo(text=f"{thread} {call}").text == f"{thread} {call}"
                if call % 50 == 0:
                    client.wait(ms=1)
        except BaseException as error:
            failures.append(error)

    with load_plugin(LIBRARY) as plugin:
        client = plugin.client(Test)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


@pytest.mark.between_languages
def test_the_event_loop_goes_on_while_a_library_works() -> None:
    async def calls() -> None:
        async with load_plugin(LIBRARY) as plugin:
            client = plugin.client(Test)
            answers = await asyncio.gather(*(client.echo(text=str(number)) for number in range(100)))
            assert [answer.text for answer in answers] == [str(number) for number in range(100)]
            waiting = asyncio.ensure_future(client.wait(ms=60_000))
            assert (await client.echo(text="meanwhile")).text == "meanwhile"
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    run(calls())


@pytest.mark.between_languages
@pytest.mark.parametrize("case", json.loads((CASES / "cases.json").read_text()), ids=lambda case: case["name"])
def test_what_is_no_good_is_refused(case: dict[str, Any]) -> None:
    load = load_plugin(CASES / "bin" / case.get("file", f"{case['name']}.so"))
    if "code" in case:
        with pytest.raises(AnyplugError) as refused:
            load.open()
    elif "call" in case:
        with load as plugin, pytest.raises(AnyplugError) as refused:
            plugin.client(Test).echo(text="x")
    else:
        with load as plugin:
            assert plugin.client(Test).echo(text="x").text == "x"
        return
    assert refused.value.code.name == case.get("code", case.get("call"))
    for words in case["says"]:
        assert words in refused.value.message


@pytest.mark.between_languages
def test_a_library_runs_in_a_process_of_its_own() -> None:
    with load_plugin(LIBRARY, ffi=FfiOptions(isolation="process"), config={"some": "thing"}) as plugin:
        assert (plugin.name, plugin.transport, plugin.enforced) == ("test-plugin", "ffi", ("isolation: process",))
        assert plugin.manifest["language"] == "rust"
        client = plugin.client(Test)
        assert client.echo(text="hello").text == "hello"
        assert [answer.index for answer in client.count(count=300)] == list(range(300))
    with pytest.raises(AnyplugError, match="refused to start: no") as refused:
        load_plugin(LIBRARY, ffi=FfiOptions(isolation="process"), config={"refuse": "no"}).open()
    assert refused.value.code is Code.INVALID_ARGUMENT
    with pytest.raises(AnyplugError, match="is no shared library") as refused:
        load_plugin(CASES / "bin" / "text.so", ffi=FfiOptions(isolation="process")).open()
    assert refused.value.code is Code.INVALID_ARGUMENT


@pytest.mark.between_languages
def test_a_library_that_was_built_anew_at_its_path_is_loaded_anew(tmp_path: Path) -> None:
    library = tmp_path / "plugin.so"
    with contextlib.ExitStack() as loaded:
        clients = []
        for build in (1, 2, 3):
            rebuilt = CASES / "bin" / f"rebuilt-{build}.so"
            if build == 2:
                shutil.copyfile(rebuilt, tmp_path / "new").replace(library)
            else:
                # The same file, written over: one that is mapped from there would crash.
                shutil.copyfile(rebuilt, library)
            plugin = loaded.enter_context(load_plugin(library))
            assert plugin.version == f"0.1.{build}"
            clients.append(plugin.client(Test))
        # The old ones go on.
        assert [client.echo().text for client in clients] == ["0.1.1", "0.1.2", "0.1.3"]
