"""A plugin in Python as a process: how it begins and ends, and where its handlers run."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from anyplug import AnyplugError, CallOptions, Code, LogRecord, define_plugin, load_plugin
from anyplug_generated.anyplug.test.v1 import HarmRequestKind
from anyplug_generated.anyplug.test.v1.test_anyplug import Test

from .conftest import ROOT, TEST_PLUGINS, read_when_written, run, wait_for_end
from .plugins import write_plugin

HEAD = """
    import asyncio, os, sys, threading, time
    from anyplug import AnyplugError, Code, Limits, LogLevel, define_plugin, implement, log, serve
    from anyplug_generated.anyplug.test.v1 import *
    from anyplug_generated.anyplug.test.v1.test_anyplug import Test, TestHandler
"""


def plugin_of(folder: Path, handlers: str, **options: object) -> Path:
    """A plugin whose handlers are given."""
    arguments = "".join(f", {name}={value!r}" for name, value in options.items())
    body = textwrap.indent(textwrap.dedent(handlers), "        ")
    program = f"""{HEAD}
    class Handler(TestHandler):
{body}
    serve(define_plugin(name="broken", version="1", services=[implement(Test, Handler())]{arguments}))
"""
    return write_plugin(folder, program)


def load(folder: Path, **options: object) -> object:
    return load_plugin(folder, python=sys.executable, **options)  # type: ignore[arg-type]


def test_started_by_hand_it_explains_itself() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ANYPLUG_CHANNEL"}
    result = subprocess.run(
        [sys.executable, "-m", "anyplug_test_plugin"],
        cwd=TEST_PLUGINS["python"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 64
    assert result.stdout == ""
    assert "test-plugin 0.1.0 is an anyplug plugin" in result.stderr


def test_a_name_that_plugin_json_could_not_have_is_refused() -> None:
    with pytest.raises(AnyplugError, match="'Not A Name'") as caught:
        define_plugin(name="Not A Name", version="1", services=[])
    assert caught.value.code is Code.INVALID_ARGUMENT


SYNC = """
    def echo(self, request, context):
        return EchoResponse(text=f"{request.text} {threading.current_thread() is threading.main_thread()}")

    def count(self, request, context):
        for index in range(request.count):
            yield CountResponse(index=index, data=bytes(request.size))

    def wait(self, request, context):
        threading.Event().wait()

    def harm(self, request, context):
        if request.kind == HarmRequestKind.EXIT:
            sys.exit(request.number)
        log(LogLevel.WARN, "by itself", key="value")
        return HarmResponse()
"""


def test_synchronous_handlers_run_in_the_main_thread(tmp_path: Path) -> None:
    records: list[LogRecord] = []
    with load(plugin_of(tmp_path, SYNC), on_log=records.append) as plugin:  # type: ignore[attr-defined]
        client = plugin.client(Test)
        assert client.echo(text="x").text == "x True"
        assert len(list(client.count(count=1000, size=1000))) == 1000
        client.harm()
        with pytest.raises(AnyplugError, match=r"UNIMPLEMENTED: .*/Fail is in the schema"):
            client.fail()
    [record] = [record for record in records if record.message == "by itself"]
    assert record.fields == {"key": "value"}


ASYNC = """
    async def echo(self, request, context):
        return EchoResponse(text=request.text)

    async def wait(self, request, context):
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass

    async def fail(self, request, context):
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)

    def harm(self, request, context):
        if request.kind == HarmRequestKind.EXIT:
            sys.exit(request.number)
        threading.Event().wait()
"""


@pytest.mark.parametrize("handlers", [SYNC, ASYNC], ids=["threads", "loop"])
def test_a_plugin_ends_with_its_channel_whatever_its_handlers_do(tmp_path: Path, handlers: str) -> None:
    async def main() -> None:
        plugin = await load(plugin_of(tmp_path, handlers), drain_timeout=0.1)  # type: ignore[misc]
        client = plugin.client(Test)
        calls = [asyncio.ensure_future(client.wait(options=CallOptions(timeout=300))) for _ in range(3)]
        if handlers is ASYNC:
            calls.append(asyncio.ensure_future(client.harm()))
        await client.echo(text="x")
        await plugin.close()
        for call in calls:
            with pytest.raises(AnyplugError, match="UNAVAILABLE"):
                await call

    run(main())


@pytest.mark.parametrize("handlers", [SYNC, ASYNC], ids=["threads", "loop"])
def test_a_handler_may_end_the_program(tmp_path: Path, handlers: str) -> None:
    with load(plugin_of(tmp_path, handlers)) as plugin:  # type: ignore[attr-defined]
        with pytest.raises(AnyplugError, match="exited with status 7") as caught:
            plugin.client(Test).harm(kind=HarmRequestKind.EXIT, number=7)
        assert caught.value.code is Code.UNAVAILABLE


def test_asyncio_timeouts_work_as_the_first_step_of_a_handler(tmp_path: Path) -> None:
    with load(plugin_of(tmp_path, ASYNC)) as plugin:  # type: ignore[attr-defined]
        with pytest.raises(AnyplugError) as caught:
            plugin.client(Test).fail()
        assert (caught.value.code, caught.value.message) == (Code.UNKNOWN, "TimeoutError")


EAGER = """
    async def echo(self, request, context):
        if request.text == "wait":
            await asyncio.sleep(0.01)
            async with asyncio.timeout(300):
                await asyncio.sleep(0.01)
        elif request.text == "fail":
            await asyncio.sleep(0)
            raise AnyplugError(Code.ABORTED, "after a wait")
        return EchoResponse(text=request.text)

    async def count(self, request, context):
        for index in range(request.count):
            if index % 2:
                await asyncio.sleep(0)
            yield CountResponse(index=index, data=bytes(request.size))

    async def wait(self, request, context):
        await asyncio.sleep(60)
"""


def test_eager_handlers_wait_fail_and_are_cancelled_like_others(tmp_path: Path) -> None:
    async def main() -> None:
        async with load(plugin_of(tmp_path, EAGER, eager=True)) as plugin:  # type: ignore[attr-defined]
            client = plugin.client(Test)
            assert (await client.echo(text="at once")).text == "at once"
            assert (await client.echo(text="wait")).text == "wait"
            with pytest.raises(AnyplugError, match="ABORTED: after a wait"):
                await client.echo(text="fail")
            assert [response.index async for response in client.count(count=500, size=2000)] == list(range(500))
            with pytest.raises(AnyplugError, match="DEADLINE_EXCEEDED"):
                await client.wait(options=CallOptions(timeout=0.05))

    run(main())


def test_a_plugin_may_be_a_host_itself(tmp_path: Path) -> None:
    handlers = f"""
    def echo(self, request, context):
        from anyplug import load_plugin
        with load_plugin({str(TEST_PLUGINS["rust"])!r}) as inner:
            return EchoResponse(text=inner.client(Test).echo(text=request.text + "!").text)
"""
    with load(plugin_of(tmp_path, handlers)) as plugin:  # type: ignore[attr-defined]
        assert plugin.client(Test).echo(text="x").text == "x!"


def test_limits_of_the_plugin_are_its_own(tmp_path: Path) -> None:
    write_plugin(
        tmp_path,
        f"""{HEAD}
    class Handler(TestHandler):
        def echo(self, request, context):
            return EchoResponse(text=request.text)

    limits = Limits(max_message_bytes=1000)
    serve(define_plugin(name="broken", version="1", services=[implement(Test, Handler())], limits=limits))
""",
    )
    with load(tmp_path) as plugin:  # type: ignore[attr-defined]
        client = plugin.client(Test)
        assert client.echo(text="x" * 900).text == "x" * 900
        with pytest.raises(AnyplugError, match="over the limit of 1000"):
            client.echo(text="x" * 1100)


def test_a_host_that_is_killed_leaves_no_plugin_behind(tmp_path: Path) -> None:
    """Not even one that hangs, and holds the interpreter's lock."""
    pid_file = tmp_path / "pid"
    handlers = f"""
    def harm(self, request, context):
        open({str(pid_file)!r}, "w").write(str(os.getpid()))
        while True:
            pass
"""
    plugin_of(tmp_path, handlers)
    host = f"""
import sys
from anyplug import load_plugin
from anyplug_generated.anyplug.test.v1.test_anyplug import Test
with load_plugin({str(tmp_path)!r}, python=sys.executable) as plugin:
    plugin.client(Test).harm()
"""
    child = subprocess.Popen([sys.executable, "-c", host], cwd=ROOT)
    pid = int(read_when_written(pid_file))
    child.kill()
    child.wait()
    wait_for_end(pid)
