"""What is particular to a plugin in the host's own process."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyplug import AnyplugError, CallOptions, Code, Context, implement, load_plugin
from anyplug_generated.anyplug.test.v1 import (
    ConverseRequest,
    RevealRequest,
    RevealResponse,
    SumRequest,
)
from anyplug_generated.anyplug.test.v1.test_anyplug import Secret, SecretHandler, Test

from .conftest import TEST_PLUGINS, run
from .plugins import write_plugin

PROGRAM = """
    from anyplug import AnyplugError, CallOptions, Code, define_plugin, implement
    from anyplug_generated.anyplug.test.v1 import AskHostResponse, ConverseResponse, CountResponse, EchoResponse
    from anyplug_generated.anyplug.test.v1 import WaitResponse
    from anyplug_generated.anyplug.test.v1.test_anyplug import Host, Secret, Test, TestHandler

    SEEN = []

    class Handler(TestHandler):
        def echo(self, request, context):
            SEEN.append(request)
            context.set_header("h", "1")
            context.set_trailer("t", "2")
            return EchoResponse(text=str(context.config))

        def fail(self, request, context):
            context.set_header("h", "1")
            context.set_trailer("t", "2")
            raise AnyplugError(Code.NOT_FOUND, "gone", metadata={"own": "0"})

        def count(self, request, context):
            context.set_header("h", "1")
            context.set_trailer("t", "2")
            if request.count:
                yield CountResponse()
                context.set_header("late", "1")

        def converse(self, requests, context):
            try:
                for request in requests:
                    yield ConverseResponse(text=request.text)
            finally:
                SEEN.append("closed")

        def wait(self, request, context):
            context.wait(60)
            return WaitResponse()

        def ask_host(self, request, context):
            return AskHostResponse(answer=context.sync_client(Secret).reveal().value)

        def harm(self, request, context):
            return "not a response"

    plugin = define_plugin(name="broken", version="1", services=lambda config: [implement(Test, Handler())])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_plugin(tmp_path, PROGRAM, module="./plugin.py", config={"a": 1, "b": 2}, capabilities=["test.secret"])


def seen(folder: Path) -> list[object]:
    from anyplug._module import load_definition

    handler = load_definition(folder, "./plugin.py", folder / "plugin.json").implementations({})[0].handler
    return handler.echo.__globals__["SEEN"]  # type: ignore[no-any-return,attr-defined]


def test_typed_objects_pass_through(folder: Path) -> None:
    from anyplug_generated.anyplug.test.v1 import EchoRequest

    request = EchoRequest(text="x")
    with load_plugin(folder, config={"b": 3}) as plugin:
        assert plugin.transport == "direct"
        header: list[object] = []
        options = CallOptions(on_header=header.append, on_trailer=header.append)
        answer = plugin.client(Test).echo(request, options=options)
        assert answer.text == "{'a': 1, 'b': 3}"
        assert seen(folder)[-1] is request
        assert header == [(("h", "1"),), (("t", "2"),)]


def test_metadata_comes_with_a_failure_and_at_the_end_of_a_stream_without_messages(folder: Path) -> None:
    with load_plugin(folder) as plugin:
        test = plugin.client(Test)
        header: list[object] = []
        options = CallOptions(on_header=header.append, on_trailer=header.append)
        with pytest.raises(AnyplugError, match="gone") as caught:
            test.fail(options=options)
        assert caught.value.metadata == (("own", "0"), ("h", "1"), ("t", "2"))
        assert header == [(), caught.value.metadata]
        header.clear()
        assert list(test.count(options=options)) == []
        assert header == [(), (("h", "1"), ("t", "2"))]
        header.clear()
        with pytest.raises(AnyplugError, match="header metadata goes before it") as caught:
            list(test.count(count=1, options=options))
        assert caught.value.code == Code.FAILED_PRECONDITION
        assert header == [(("h", "1"),), (("t", "2"),)]


class Reveal(SecretHandler):
    def reveal(self, request: RevealRequest, context: Context) -> RevealResponse:
        return RevealResponse(value="42")


def test_capabilities_are_granted_or_not(folder: Path) -> None:
    services = [implement(Secret, Reveal())]
    with load_plugin(folder, services=services, grants=["test.secret"]) as plugin:
        assert plugin.client(Test).ask_host().answer == "42"
    with load_plugin(folder, services=services) as plugin:
        with pytest.raises(AnyplugError, match=r'needs the capability "test\.secret"') as caught:
            plugin.client(Test).ask_host()
        assert caught.value.code is Code.PERMISSION_DENIED


def test_leaving_a_stream_closes_the_handlers_generator(folder: Path) -> None:
    with load_plugin(folder) as plugin:

        def requests() -> Iterator[ConverseRequest]:
            while True:
                yield ConverseRequest(text="x")

        for response in plugin.client(Test).converse(requests()):
            assert response.text == "x"
            break
        assert seen(folder)[-1] == "closed"


def test_what_the_requests_raise_is_raised_to_the_caller_itself(cell: tuple[Path, str]) -> None:
    class MyError(Exception):
        pass

    def requests() -> Iterator[SumRequest]:
        yield SumRequest(number=1)
        raise MyError

    async def main() -> None:
        folder, transport = cell
        async with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
            with pytest.raises(MyError):
                await plugin.client(Test).sum(requests())
            assert (await plugin.client(Test).echo(text="x")).text == "x"

    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        with pytest.raises(MyError):
            plugin.client(Test).sum(requests())
        assert plugin.client(Test).echo(text="x").text == "x"
    run(main())


def test_a_handler_that_returns_something_else_is_a_defect(folder: Path) -> None:
    with load_plugin(folder) as plugin:
        with pytest.raises(AnyplugError, match="returned a str instead of HarmResponse") as caught:
            plugin.client(Test).harm()
        assert caught.value.code is Code.INTERNAL


def test_a_synchronous_handler_does_not_block_the_event_loop(folder: Path) -> None:
    async def main() -> None:
        async with load_plugin(folder) as plugin:
            client = plugin.client(Test)
            with pytest.raises(AnyplugError) as caught:
                await client.wait(options=CallOptions(timeout=0.1))
            assert caught.value.code is Code.DEADLINE_EXCEEDED

    run(main())


def test_closing_ends_the_calls_in_flight() -> None:
    async def main() -> None:
        plugin = await load_plugin(TEST_PLUGINS["python"], transport="direct", drain_timeout=0.05)
        client = plugin.client(Test)
        waiting = asyncio.ensure_future(client.wait(ms=60_000))
        await client.echo()
        await plugin.close()
        with pytest.raises(AnyplugError, match="was closed") as caught:
            await waiting
        assert caught.value.code is Code.UNAVAILABLE
        with pytest.raises(AnyplugError, match="UNAVAILABLE"):
            await client.echo()

    run(main())


def test_closing_waits_for_calls_in_flight() -> None:
    plugin = load_plugin(TEST_PLUGINS["python"], transport="direct", drain_timeout=300).open()
    client = plugin.client(Test)
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(client.wait(ms=200)))
    thread.start()
    while not plugin._link.plugin.calls:  # type: ignore[attr-defined]
        time.sleep(0)
    plugin.close()
    thread.join()
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("program", "module", "code", "why"),
    [
        ("", "nowhere", Code.NOT_FOUND, "there is no module of that name"),
        ("", "./nowhere.py", Code.NOT_FOUND, "there is no module"),
        ("x = 1", "./plugin.py", Code.FAILED_PRECONDITION, "binds no plugin"),
        ("raise ValueError('no')", "./plugin.py", Code.FAILED_PRECONDITION, "cannot be imported: ValueError: no"),
        ("import not_installed", "./plugin.py", Code.FAILED_PRECONDITION, "No module named 'not_installed'"),
        ("", "json", Code.FAILED_PRECONDITION, "binds no plugin"),
    ],
)
def test_a_module_that_is_no_plugin(tmp_path: Path, program: str, module: str, code: Code, why: str) -> None:
    write_plugin(tmp_path, program, module=module)
    with pytest.raises(AnyplugError) as caught:
        load_plugin(tmp_path).open()
    assert caught.value.code is code
    assert why in caught.value.message


def test_two_modules_of_one_name_are_not_mixed_up(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("")
    write_plugin(tmp_path, "", module="json")
    with pytest.raises(AnyplugError, match="two modules of one name"):
        load_plugin(tmp_path).open()
    assert json.loads("1") == 1


def test_the_manifests_order_of_transports_is_kept(tmp_path: Path) -> None:
    write_plugin(tmp_path, "import sys; sys.exit(5)", module="./plugin.py", transports=["process", "direct"])
    with pytest.raises(AnyplugError, match="exited with status 5"):
        load_plugin(tmp_path).open()
