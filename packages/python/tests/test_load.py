"""What can go wrong when a plugin is loaded, and while it lives: one clear error each, at once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from anyplug import AnyplugError, Code, LogRecord, PluginLoad, load_plugin
from anyplug_generated.anyplug.test.v1 import HarmRequestKind
from anyplug_generated.anyplug.test.v1.test_anyplug import Test
from anyplug_generated.greeter.v1.greeter_anyplug import Greeter

from .conftest import TEST_PLUGINS, read_when_written, run, wait_for_end
from .plugins import write_plugin

pytestmark = pytest.mark.between_languages


def load_by_threads(load: PluginLoad) -> AnyplugError:
    with pytest.raises(AnyplugError) as caught:
        load.open()
    return caught.value


def load_by_asyncio(load: PluginLoad) -> AnyplugError:
    async def main() -> AnyplugError:
        with pytest.raises(AnyplugError) as caught:
            await load
        return caught.value

    return run(main())


LoadFailing = Callable[[PluginLoad], AnyplugError]
BOTH = pytest.mark.parametrize("fail", [load_by_threads, load_by_asyncio])


@BOTH
def test_no_plugin(tmp_path: Path, fail: LoadFailing) -> None:
    error = fail(load_plugin(tmp_path / "nothing"))
    assert error.code is Code.NOT_FOUND
    assert f"there is no plugin at {tmp_path / 'nothing'}" in error.message
    error = fail(load_plugin(tmp_path))
    assert (error.code, error.message) == (Code.NOT_FOUND, f"the folder {tmp_path} has no plugin.json")


@BOTH
def test_a_wrong_manifest_is_named_by_its_member(tmp_path: Path, fail: LoadFailing) -> None:
    write_plugin(tmp_path, "", limits={"maxMessageBytes": "many"})
    error = fail(load_plugin(tmp_path))
    assert error.code is Code.INVALID_ARGUMENT
    assert "limits.maxMessageBytes" in error.message


@BOTH
def test_a_missing_program(tmp_path: Path, fail: LoadFailing) -> None:
    write_plugin(tmp_path, "", interop={"ipcCommand": "no-such-program --flag"})
    error = fail(load_plugin(tmp_path))
    assert error.code is Code.NOT_FOUND
    assert 'cannot start plugin "broken": program "no-such-program" was not found' in error.message


@BOTH
def test_a_missing_interpreter(tmp_path: Path, fail: LoadFailing) -> None:
    error = fail(load_plugin(write_plugin(tmp_path, ""), python=str(tmp_path / "python")))
    assert error.code is Code.NOT_FOUND
    assert str(tmp_path / "python") in error.message


@BOTH
def test_an_exit_before_the_hello_is_told_with_status_and_last_lines(tmp_path: Path, fail: LoadFailing) -> None:
    write_plugin(tmp_path, "import sys; print('no can do', file=sys.stderr); sys.exit(3)")
    error = fail(load_plugin(tmp_path))
    assert error.code is Code.UNAVAILABLE
    assert error.message.startswith('plugin "broken" exited with status 3 before its hello')
    assert "no can do" in error.message


@BOTH
def test_a_hello_that_never_comes(tmp_path: Path, fail: LoadFailing) -> None:
    write_plugin(tmp_path, "import time; print('thinking', flush=True); time.sleep(600)")
    # On a busy machine the time may be over before Python has begun; then it is given more.
    for timeout in (1, 3, 10, 30, 100):
        error = fail(load_plugin(tmp_path, start_timeout=timeout))
        assert error.code is Code.DEADLINE_EXCEEDED
        assert f'plugin "broken" sent no hello within {timeout}000 ms' in error.message
        if "thinking" in error.message:
            return
    pytest.fail(f"the last lines are not in {error.message}")


@BOTH
def test_bytes_that_are_not_the_protocol(tmp_path: Path, fail: LoadFailing) -> None:
    write_plugin(tmp_path, "import os; os.write(4, b'HTTP/1.1 200 OK')")
    error = fail(load_plugin(tmp_path))
    assert error.code is Code.FAILED_PRECONDITION
    assert "HTTP/1.1" in error.message


@BOTH
@pytest.mark.parametrize("transport", ["direct", "process"])
def test_a_plugin_that_refuses_its_configuration(fail: LoadFailing, transport: str) -> None:
    load = load_plugin(TEST_PLUGINS["python"], transport=transport, config={"refuse": "line 7: no"})  # type: ignore[arg-type]
    error = fail(load)
    assert error.code is Code.INVALID_ARGUMENT
    assert error.message == 'plugin "test-plugin" refused to start: line 7: no'


@BOTH
def test_a_plugin_that_refuses_some_time_after_its_hello(tmp_path: Path, fail: LoadFailing) -> None:
    # What this host says is a hello as good as any. GOAWAY comes in place of the answer to its ping.
    goaway = b"\x0c\0\0\0\x0a\0\0\0\0\0\0\0\x0a\x0a\x08\x03\x12\x06line 7"
    program = f"import os; os.write(4, os.read(3, 65536)); os.read(3, 65536); os.write(4, {goaway!r}); os.read(3, 1)"
    error = fail(load_plugin(write_plugin(tmp_path, program)))
    assert (error.code, error.message) == (Code.INVALID_ARGUMENT, 'plugin "broken" refused to start: line 7')


@BOTH
@pytest.mark.parametrize("transport", ["direct", "process"])
def test_an_expected_service_that_is_not_there(fail: LoadFailing, transport: str) -> None:
    error = fail(load_plugin(TEST_PLUGINS["python"], transport=transport, expect=[Greeter]))  # type: ignore[arg-type]
    assert error.code is Code.UNIMPLEMENTED
    assert "greeter.v1.GreeterService" in error.message


def test_a_transport_that_the_plugin_cannot_have() -> None:
    error = load_by_threads(load_plugin(TEST_PLUGINS["rust"], transport="direct"))
    assert error.code is Code.FAILED_PRECONDITION
    error = load_by_threads(load_plugin(TEST_PLUGINS["rust"], transport="pigeon"))  # type: ignore[arg-type]
    assert (error.code, error.message) == (
        Code.INVALID_ARGUMENT,
        'transport: expected one of direct, process, stdio, wasm, ffi, got "pigeon"',
    )


@pytest.mark.parametrize("language", TEST_PLUGINS)
@pytest.mark.parametrize(("kind", "how"), [("EXIT", "exited with status 7"), ("KILL", "was killed by SIGKILL")])
def test_a_crash_in_mid_call_ends_the_calls_in_flight(language: str, kind: str, how: str) -> None:
    async def main() -> None:
        async with load_plugin(TEST_PLUGINS[language], transport="process") as plugin:
            client = plugin.client(Test)
            waiting = asyncio.ensure_future(client.wait(ms=60_000))
            await client.echo()
            await client.harm(kind=HarmRequestKind.STDERR, text="last words\n")
            with pytest.raises(AnyplugError) as caught:
                await client.harm(kind=HarmRequestKind[kind], number=7)
            assert caught.value.code is Code.UNAVAILABLE
            assert how in caught.value.message
            assert "last words" in caught.value.message
            with pytest.raises(AnyplugError, match="UNAVAILABLE"):
                await waiting
            with pytest.raises(AnyplugError, match="UNAVAILABLE"):
                await client.echo()
            assert (await plugin.wait_closed()).code is Code.UNAVAILABLE

    run(main())


def test_a_crash_is_told_to_threads() -> None:
    with load_plugin(TEST_PLUGINS["rust"]) as plugin:
        client = plugin.client(Test)
        with pytest.raises(AnyplugError, match="exited with status 7"):
            client.harm(kind=HarmRequestKind.EXIT, number=7)
        with pytest.raises(AnyplugError, match="exited with status 7"):
            list(client.count(count=3))
        assert plugin.close_reason is not None


def test_a_plugin_that_hangs_is_ended_by_closing() -> None:
    async def main() -> None:
        plugin = await load_plugin(TEST_PLUGINS["rust"], drain_timeout=0.1)
        hanging = asyncio.ensure_future(plugin.client(Test).harm(kind=HarmRequestKind.HANG))
        await asyncio.sleep(0)
        await plugin.close()
        with pytest.raises(AnyplugError, match="was closed"):
            await hanging

    run(main())


def test_the_environment_is_what_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = """
        import json, os, sys
        print(json.dumps(dict(os.environ)), flush=True)
        sys.exit(1)
    """
    write_plugin(tmp_path, program)
    for name in ("SECRET", "ASKED", "DENIED"):
        monkeypatch.setenv(name, "host")

    def variables(**options: object) -> set[str]:
        records: list[LogRecord] = []
        load_by_threads(load_plugin(tmp_path, on_log=records.append, python=sys.executable, **options))  # type: ignore[arg-type]
        import json

        [line] = [record.message for record in records if record.logger == "stdout"]
        environment = json.loads(line)
        assert environment.get("OWN", "plugin") == "plugin"
        return {name for name in ("SECRET", "ASKED", "DENIED", "OWN", "PATH") if name in environment}

    assert variables() == {"PATH"}
    assert variables(env={"OWN": "plugin"}, inherit_env=["ASKED"]) == {"PATH", "OWN", "ASKED"}
    assert variables(inherit_env=True, env_denylist=["DENIED"]) == {"PATH", "SECRET", "ASKED"}


def test_giving_up_a_load_kills_what_was_started(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    write_plugin(tmp_path, f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(600)")

    async def main() -> None:
        loading = asyncio.ensure_future(_await(load_plugin(tmp_path, start_timeout=60)))
        pid = await asyncio.to_thread(read_when_written, pid_file)
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        await asyncio.to_thread(wait_for_end, int(pid))

    run(main())


async def _await(load: PluginLoad) -> object:
    return await load
