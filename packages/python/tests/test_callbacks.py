"""A plugin calls the services that its host offers, also within a call."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from anyplug import (
    AnyplugError,
    CallOptions,
    Code,
    Context,
    LogLevel,
    LogRecord,
    Plugin,
    SyncPlugin,
    implement,
    load_plugin,
)
from anyplug_generated.anyplug.test.v1 import (
    AskRequest,
    AskResponse,
    HarmRequestKind,
    RevealRequest,
    RevealResponse,
)
from anyplug_generated.anyplug.test.v1.test_anyplug import Host, HostHandler, Secret, SecretHandler, Test

from .conftest import TEST_PLUGINS, run

pytestmark = pytest.mark.between_languages

Cell = tuple[Path, str]


class SyncHost(HostHandler):
    """Answers by a function; with depth over 0 it asks the plugin in turn, within the call."""

    def ask(self, request: AskRequest, context: Context) -> AskResponse:
        if request.depth > 0:
            inner = context.sync_client(Test).ask_host(question=request.question, depth=request.depth - 1)
            return AskResponse(answer=f"({inner.answer})")
        return AskResponse(answer=f"{request.question}! from {' '.join(context.origin)}")


class AsyncHost(HostHandler):
    async def ask(self, request: AskRequest, context: Context) -> AskResponse:
        await asyncio.sleep(0)
        if request.depth > 0:
            inner = await context.client(Test).ask_host(question=request.question, depth=request.depth - 1)
            return AskResponse(answer=f"({inner.answer})")
        return AskResponse(answer=f"{request.question}! from {' '.join(context.origin)}")


class SyncCircle(HostHandler):
    """Answers by asking the two plugins in turn, each within the call of the other."""

    def __init__(self) -> None:
        self.plugins: list[SyncPlugin] = []

    def ask(self, request: AskRequest, context: Context) -> AskResponse:
        if request.depth == 0:
            return AskResponse(answer=" ".join(context.origin))
        test = self.plugins[request.depth % 2].client(Test)
        inner = test.ask_host(depth=request.depth - 1, options=CallOptions(within=context))
        return AskResponse(answer=inner.answer)


class AsyncCircle(HostHandler):
    def __init__(self) -> None:
        self.plugins: list[Plugin] = []

    async def ask(self, request: AskRequest, context: Context) -> AskResponse:
        if request.depth == 0:
            return AskResponse(answer=" ".join(context.origin))
        test = self.plugins[request.depth % 2].client(Test)
        inner = await test.ask_host(depth=request.depth - 1, options=CallOptions(within=context))
        return AskResponse(answer=inner.answer)


HOSTS = pytest.mark.parametrize("handler", [SyncHost, AsyncHost])


def expected(depth: int) -> str:
    origin = " ".join(["host"] + ["test-plugin", "host"] * depth)
    return "(" * depth + f"why! from {origin}" + ")" * depth


def circle_origin(depth: int) -> str:
    return " ".join(["host"] + ["test-plugin", "host"] * depth)


def test_the_origin_goes_along_from_a_call_within_this_process_to_one_by_bytes_and_back() -> None:
    host, folder = SyncCircle(), TEST_PLUGINS["python"]
    services = [implement(Host, host)]
    with (
        load_plugin(folder, transport="direct", services=services, host_name="host") as near,
        load_plugin(folder, transport="process", services=services, host_name="host") as far,
    ):
        host.plugins = [near, far]
        for plugin in (near, far):
            for depth in (1, 2, 3):
                assert plugin.client(Test).ask_host(depth=depth).answer == circle_origin(depth)
            with pytest.raises(AnyplugError, match="over the limit of 16") as failed:
                plugin.client(Test).ask_host(depth=1000)
            assert failed.value.code is Code.FAILED_PRECONDITION


def test_the_origin_goes_along_in_an_event_loop() -> None:
    async def main() -> None:
        host, folder = AsyncCircle(), TEST_PLUGINS["python"]
        services = [implement(Host, host)]
        async with (
            load_plugin(folder, transport="direct", services=services, host_name="host") as near,
            load_plugin(folder, transport="process", services=services, host_name="host") as far,
        ):
            host.plugins = [near, far]
            for plugin in (near, far):
                for depth in (1, 2, 3):
                    assert (await plugin.client(Test).ask_host(depth=depth)).answer == circle_origin(depth)
                with pytest.raises(AnyplugError, match="over the limit of 16") as failed:
                    await plugin.client(Test).ask_host(depth=1000)
                assert failed.value.code is Code.FAILED_PRECONDITION

    run(main())


@HOSTS
def test_callbacks_within_callbacks_of_a_synchronous_host(cell: Cell, handler: type[HostHandler]) -> None:
    folder, transport = cell
    services = [implement(Host, handler())]
    with load_plugin(folder, transport=transport, services=services, host_name="host") as plugin:  # type: ignore[arg-type]
        client = plugin.client(Test)
        for depth in (0, 1, 3):
            assert client.ask_host(question="why", depth=depth).answer == expected(depth)


@HOSTS
def test_callbacks_within_callbacks_of_an_asyncio_host(cell: Cell, handler: type[HostHandler]) -> None:
    async def main() -> None:
        folder, transport = cell
        services = [implement(Host, handler())]
        async with load_plugin(folder, transport=transport, services=services, host_name="host") as plugin:  # type: ignore[arg-type]
            client = plugin.client(Test)
            for depth in (0, 1, 3):
                assert (await client.ask_host(question="why", depth=depth)).answer == expected(depth)
            answers = await asyncio.gather(*(client.ask_host(question=str(number)) for number in range(50)))
            assert [answer.answer.split("!")[0] for answer in answers] == [str(number) for number in range(50)]

    run(main())


def test_two_that_answer_each_other_come_to_an_end(cell: Cell) -> None:
    folder, transport = cell
    services = [implement(Host, SyncHost())]
    with load_plugin(folder, transport=transport, services=services) as plugin:  # type: ignore[arg-type]
        with pytest.raises(AnyplugError, match="over the limit of 16") as caught:
            plugin.client(Test).ask_host(question="why", depth=1000)
        assert caught.value.code is Code.FAILED_PRECONDITION


class Reveal(SecretHandler):
    def reveal(self, request: RevealRequest, context: Context) -> RevealResponse:
        return RevealResponse(value="42")


def test_a_service_that_the_host_does_not_offer_is_unimplemented(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        with pytest.raises(AnyplugError, match=r"anyplug\.test\.v1\.HostService") as caught:
            plugin.client(Test).ask_host(question="why")
        assert caught.value.code is Code.UNIMPLEMENTED


def test_an_exception_of_the_hosts_handler_comes_back_through_the_plugin(cell: Cell) -> None:
    class Failing(HostHandler):
        def ask(self, request: AskRequest, context: Context) -> AskResponse:
            raise ValueError("not today")

    folder, transport = cell
    with load_plugin(folder, transport=transport, services=[implement(Host, Failing())]) as plugin:  # type: ignore[arg-type]
        with pytest.raises(AnyplugError, match="ValueError: not today") as caught:
            plugin.client(Test).ask_host(question="why")
        assert caught.value.code is Code.UNKNOWN


def test_what_a_plugin_prints_and_logs_comes_to_the_log_and_harms_nothing() -> None:
    for language, folder in TEST_PLUGINS.items():
        for transport in ("process", "stdio") if language == "python" else ("process",):
            records: list[LogRecord] = []
            with load_plugin(folder, transport=transport, on_log=records.append) as plugin:
                client = plugin.client(Test)
                client.harm(kind=HarmRequestKind.STDOUT, text="printed é\nin two lines\n")
                client.harm(kind=HarmRequestKind.STDERR, text="to stderr\n")
                client.harm(kind=HarmRequestKind.LOG, text="logged")
                assert client.harm(kind=HarmRequestKind.STDIN).text == ""
                assert client.echo(text="still there").text == "still there"
            found = {
                (record.level, record.logger if record.logger.startswith("std") else "", record.message)
                for record in records
            }
            printed = "stderr" if transport == "stdio" else "stdout"
            level = LogLevel.WARN if transport == "stdio" else LogLevel.INFO
            assert {
                (level, printed, "printed é"),
                (level, printed, "in two lines"),
                (LogLevel.WARN, "stderr", "to stderr"),
                (LogLevel.INFO, "", "logged"),
            } <= found, (language, transport)


def test_a_direct_plugin_logs_to_the_host() -> None:
    records: list[LogRecord] = []
    with load_plugin(TEST_PLUGINS["python"], transport="direct", on_log=records.append) as plugin:
        plugin.client(Test).harm(kind=HarmRequestKind.LOG, text="logged")
    assert [(record.level, record.message) for record in records] == [(LogLevel.INFO, "logged")]


def test_capabilities_are_granted_by_name_only(cell: Cell) -> None:
    folder, transport = cell
    records: list[LogRecord] = []
    with load_plugin(
        folder,
        transport=transport,  # type: ignore[arg-type]
        services=[implement(Secret, Reveal())],
        grants=["test.other"],
        on_log=records.append,
    ):
        pass
    assert any('capability "test.other" is not granted' in record.message for record in records)
