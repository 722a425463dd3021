"""Several threads, the interpreter's lock, Ctrl-C, forks, and the end of the interpreter."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from anyplug import AnyplugError, CallOptions, Code, Context, implement, load_plugin
from anyplug_generated.anyplug.test.v1 import AskRequest, AskResponse
from anyplug_generated.anyplug.test.v1.test_anyplug import Host, HostHandler, Test

from .conftest import ROOT, TEST_PLUGINS, wait_for_end

pytestmark = pytest.mark.between_languages

LIMIT = 300


def test_many_threads_call_at_once() -> None:
    with load_plugin(TEST_PLUGINS["rust"]) as plugin:
        client = plugin.client(Test)
        failures: list[str] = []

        def work(number: int) -> None:
            for index in range(200):
                text = f"{number}-{index}"
                if client.echo(text=text).text != text:
                    failures.append(text)
            if [response.index for response in client.count(count=50, size=2000)] != list(range(50)):
                failures.append(f"{number}: stream")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        assert not any(thread.is_alive() for thread in threads)
        assert failures == []


def test_other_threads_run_while_one_waits() -> None:
    with load_plugin(TEST_PLUGINS["rust"]) as plugin:
        client = plugin.client(Test)
        begun, done = threading.Event(), threading.Event()
        counted = 0

        def count() -> None:
            nonlocal counted
            begun.set()
            while not done.is_set():
                counted += 1

        thread = threading.Thread(target=count)
        thread.start()
        begun.wait()
        ms, gained = 100, 0
        # On a busy machine the other thread may not have been run at all meanwhile.
        while gained <= 1000 and ms < 100_000:
            before = counted
            client.wait(ms=ms)
            ms, gained = ms * 2, counted - before
        done.set()
        thread.join()
        assert gained > 1000


def test_slow_synchronous_handlers_do_not_hold_each_other_up() -> None:
    """Each waits for all the others: one thread after the other would never come to an end."""
    everybody = threading.Barrier(8)

    class Waiting(HostHandler):
        def ask(self, request: AskRequest, context: Context) -> AskResponse:
            everybody.wait(LIMIT)
            return AskResponse(answer=request.question)

    for language in TEST_PLUGINS:
        with load_plugin(TEST_PLUGINS[language], transport="process", services=[implement(Host, Waiting())]) as plugin:
            ask = plugin.client(Test).ask_host
            with ThreadPoolExecutor(8) as threads:
                answers = list(threads.map(lambda _, ask=ask: ask(question="x").answer, range(8)))
            assert answers == ["x"] * 8


def test_a_slow_handler_of_a_synchronous_plugin_holds_up_nobody(tmp_path: Path) -> None:
    from .plugins import write_plugin

    program = """
        import threading
        from anyplug import define_plugin, implement, serve
        from anyplug_generated.anyplug.test.v1 import EchoResponse, WaitReportResponse, WaitResponse
        from anyplug_generated.anyplug.test.v1.test_anyplug import Test, TestHandler

        class Handler(TestHandler):
            released = threading.Event()

            def echo(self, request, context):
                return EchoResponse(text=request.text)

            def wait(self, request, context):
                # Until it is cancelled, or released by another call.
                self.released.wait() if request.ms else context.wait(60)
                context.raise_if_cancelled()
                return WaitResponse()

            def wait_report(self, request, context):
                self.released.set()
                return WaitReportResponse()

        serve(define_plugin(name="broken", version="1", services=[implement(Test, Handler())]))
    """
    with load_plugin(write_plugin(tmp_path, program), python=sys.executable) as plugin:
        client = plugin.client(Test)
        waiting = [threading.Thread(target=client.wait, kwargs={"ms": 1}) for _ in range(20)]
        for thread in waiting:
            thread.start()
        assert client.echo(text="meanwhile").text == "meanwhile"
        with pytest.raises(AnyplugError) as caught:
            client.wait(options=CallOptions(timeout=0.2))
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        client.wait_report()
        for thread in waiting:
            thread.join(LIMIT)
        assert not any(thread.is_alive() for thread in waiting)


def program(text: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-X", "faulthandler", "-c", textwrap.dedent(text), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def finish(child: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, err = child.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        child.kill()
        raise
    return child.returncode, out, err


@pytest.mark.parametrize("how", ["unary", "stream", "asyncio", "direct", "load"])
def test_ctrl_c_ends_a_wait_and_cancels_the_call(how: str) -> None:
    """The interpreter's own handler of SIGINT raises KeyboardInterrupt in the call."""
    child = program(
        """
        import asyncio, sys
        from anyplug import load_plugin
        from anyplug_generated.anyplug.test.v1.test_anyplug import Test

        how, folder, direct = sys.argv[1:]

        def tell():
            print("waiting", flush=True)

        async def main():
            async with load_plugin(folder) as plugin:
                asyncio.get_running_loop().call_later(0.2, tell)
                await plugin.client(Test).wait(ms=60_000)

        if how == "asyncio":
            try:
                asyncio.run(main())
            except KeyboardInterrupt:
                print("interrupted")
            sys.exit(0)
        import threading
        telling = threading.Timer(1, tell)
        if how == "load":
            try:
                telling.start()
                load_plugin(folder, python="/bin/sleep", start_timeout=60).open()
            except KeyboardInterrupt:
                print("interrupted")
            sys.exit(0)
        options = {"transport": "direct"} if how == "direct" else {}
        with load_plugin(direct if how == "direct" else folder, **options) as plugin:
            client = plugin.client(Test)
            # Not before: a busy machine takes long to load a plugin.
            try:
                telling.start()
                if how == "stream":
                    list(client.count(count=3, delay_ms=60_000))
                else:
                    client.wait(ms=60_000)
            except KeyboardInterrupt:
                print("interrupted")
                if how != "stream":
                    report = client.wait_report(at_least=1)
                    assert report.cancelled == 1, report
                assert client.echo(text="still there").text == "still there"
        """,
        how,
        str(TEST_PLUGINS["rust"] if how != "load" else sleeping_plugin()),
        str(TEST_PLUGINS["python"]),
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "waiting\n"
    child.send_signal(signal.SIGINT)
    status, out, err = finish(child)
    assert (status, out) == (0, "interrupted\n"), err


def sleeping_plugin() -> Path:
    """A plugin whose program does not speak: `sleep` in place of Python takes its arguments for a time."""
    import tempfile

    from .plugins import write_plugin

    return write_plugin(Path(tempfile.mkdtemp()), "", interop={"ipcCommand": "python 600"})


@pytest.mark.parametrize("transport", ["direct", "process"])
def test_an_interpreter_that_ends_without_closing_neither_hangs_nor_crashes(transport: str) -> None:
    """A call of another thread is in flight, and nobody closed anything."""
    child = program(
        """
        import sys, threading, time, warnings
        from anyplug import AnyplugError, load_plugin
        from anyplug_generated.anyplug.test.v1.test_anyplug import Test

        warnings.simplefilter("ignore", ResourceWarning)
        plugin = load_plugin(sys.argv[1], transport=sys.argv[2]).open()
        client = plugin.client(Test)
        begun = threading.Event()

        def wait():
            begun.set()
            try:
                client.wait(ms=60_000)
            except AnyplugError:
                pass

        threading.Thread(target=wait, daemon=True).start()
        begun.wait()
        print(client.echo(text="ready").text)
        """,
        str(TEST_PLUGINS["python"]),
        transport,
    )
    status, out, err = finish(child)
    assert (status, out) == (0, "ready\n"), err


def test_an_event_loop_that_ends_without_closing_neither_hangs_nor_crashes() -> None:
    child = program(
        """
        import asyncio, sys, warnings
        from anyplug import load_plugin
        from anyplug_generated.anyplug.test.v1.test_anyplug import Test

        warnings.simplefilter("ignore", ResourceWarning)

        async def main():
            plugin = await load_plugin(sys.argv[1])
            asyncio.ensure_future(plugin.client(Test).wait(ms=60_000))
            print((await plugin.client(Test).echo(text="ready")).text)
            return plugin

        plugin = asyncio.run(main())
        """,
        str(TEST_PLUGINS["rust"]),
    )
    status, out, err = finish(child)
    assert (status, out) == (0, "ready\n"), err


def test_a_plugin_that_is_dropped_is_ended_with_a_warning() -> None:
    plugin = load_plugin(TEST_PLUGINS["rust"]).open()
    pid = plugin._link.native.process_id  # type: ignore[attr-defined]
    assert plugin.client(Test).echo(text="x").text == "x"
    with pytest.warns(ResourceWarning, match="test-plugin 0.1.0 .* was not closed"):
        del plugin
    for thread in threading.enumerate():
        if thread.name == "anyplug-worker":
            thread.join(LIMIT)
    wait_for_end(pid)


def test_a_fork_leaves_the_plugins_of_its_parent_alone() -> None:
    child = program(
        """
        import os, sys
        from anyplug import AnyplugError, load_plugin
        from anyplug_generated.anyplug.test.v1.test_anyplug import Test

        with load_plugin(sys.argv[1]) as plugin:
            client = plugin.client(Test)
            assert client.echo(text="parent").text == "parent"
            pid = os.fork()
            if pid == 0:
                try:
                    client.echo(text="child")
                except AnyplugError as error:
                    print(error, flush=True)
                with load_plugin(sys.argv[1]) as own:
                    print(own.client(Test).echo(text="own").text, flush=True)
                sys.exit(0)
            print("status", os.waitpid(pid, 0)[1], flush=True)
            print(client.echo(text="parent").text)
        """,
        str(TEST_PLUGINS["rust"]),
    )
    status, out, err = finish(child)
    assert status == 0, err
    refused, own, ended, parent = out.splitlines()
    assert refused.startswith("FAILED_PRECONDITION: the plugin was loaded before this process was forked")
    assert (own, ended, parent) == ("own", "status 0", "parent")


def test_a_synchronous_call_in_the_thread_of_the_event_loop_is_refused() -> None:
    import asyncio

    from anyplug_generated.anyplug.test.v1.test_anyplug import TestSyncClient

    async def main() -> None:
        async with load_plugin(TEST_PLUGINS["rust"]) as plugin:
            client = TestSyncClient(plugin._link)
            with pytest.raises(AnyplugError, match="await the asyncio client instead"):
                client.echo(text="x")
            # From another thread it goes through the loop.
            assert (await asyncio.to_thread(client.echo, text="x")).text == "x"

    asyncio.run(main())
