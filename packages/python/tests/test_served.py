"""Plugins that are served at an address: many hosts, hostile ones, lost links, certificates."""

from __future__ import annotations

import asyncio
import gc
import socket
import stat
import struct
import threading
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from anyplug import (
    AnyplugError,
    CallOptions,
    Code,
    Context,
    Implementation,
    PluginDefinition,
    ReconnectOptions,
    TlsOptions,
    define_plugin,
    implement,
    listen,
    load_plugin,
)
from anyplug_generated.anyplug.test.v1 import EchoRequest, EchoResponse, WaitRequest, WaitResponse
from anyplug_generated.anyplug.test.v1.test_anyplug import Test, TestHandler

from .conftest import run

_CERTIFICATES = Path(__file__).resolve().parents[3] / "test" / "certificates"


class Counter(TestHandler):
    """Answers with how often it was called."""

    def __init__(self, prefix: str, tone: str) -> None:
        self.prefix = prefix
        self.tone = tone
        self.calls = 0

    def echo(self, request: EchoRequest, context: Context) -> EchoResponse:
        self.calls += 1
        return EchoResponse(text=f"{self.prefix}{request.text} {self.calls} {self.tone}")

    async def wait(self, request: WaitRequest, context: Context) -> WaitResponse:
        await asyncio.Event().wait()
        return WaitResponse()


def counter(name: str = "counter", prefix: str = "") -> PluginDefinition:
    def services(config: Mapping[str, Any]) -> list[Implementation]:
        return [implement(Test, Counter(prefix, config.get("tone", "")))]

    return define_plugin(name=name, version="1.0.0", services=services)


@pytest.fixture
def address(tmp_path: Path) -> str:
    tmp_path.chmod(0o700)
    return f"unix:{tmp_path}/x.sock"


def refused(load: Callable[[], object]) -> AnyplugError:
    with pytest.raises(AnyplugError) as caught:
        load()
    return caught.value


def test_many_hosts_at_once_each_have_services_of_their_own(address: str) -> None:
    with listen(counter(), address) as server:
        plugins = [load_plugin(server.address).open() for _ in range(20)]
        assert server.connections == 20
        assert {plugin.client(Test).echo(text="first").text for plugin in plugins} == {"first 1 "}
        assert plugins[0].transport == "unix"
        for plugin in plugins:
            plugin.close()


def test_a_host_names_one_of_a_set(address: str) -> None:
    with listen([counter("one", "1:"), counter("two", "2:")], address) as server:
        with load_plugin(f"{server.address}#two") as two:
            assert (two.name, two.client(Test).echo(text="x").text) == ("two", "2:x 1 ")
        unknown = refused(load_plugin(f"{server.address}#three").open)
        assert unknown.code is Code.NOT_FOUND
        assert 'there is no plugin "three" at this address; it has one, two' in unknown.message
        assert refused(load_plugin(server.address).open).code is Code.INVALID_ARGUMENT
    assert "got one, one" in refused(lambda: listen([counter("one"), counter("one")], "tcp://127.0.0.1:0")).message


def test_a_server_has_the_last_word_on_configuration(address: str) -> None:
    with (
        listen(counter(), address, config={"tone": "stern"}) as server,
        load_plugin(server.address, config={"tone": "mild"}) as plugin,
    ):
        assert plugin.client(Test).echo(text="x").text == "x 1 stern"
    with (
        listen(counter(), "tcp://127.0.0.1:0") as server,
        load_plugin(server.address, config={"tone": "mild"}) as plugin,
    ):
        assert plugin.client(Test).echo(text="x").text == "x 1 mild"


def test_a_socket_is_for_this_user_alone_and_goes_with_its_server(address: str, tmp_path: Path) -> None:
    with listen(counter(), address):
        assert stat.S_IMODE((tmp_path / "x.sock").stat().st_mode) == 0o600
    assert not (tmp_path / "x.sock").exists()


def test_a_dead_servers_socket_is_replaced_and_nothing_else(address: str, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "x.sock"))
    with listen(counter(), address):
        taken = refused(lambda: listen(counter(), address))
        assert (taken.code, "something listens on" in taken.message) == (Code.ALREADY_EXISTS, True)
    (tmp_path / "x.sock").write_text("precious")
    assert "exists and is no socket; it is left alone" in refused(lambda: listen(counter(), address)).message


def test_one_host_too_many_is_told_so(address: str) -> None:
    with listen(counter(), address, max_connections=1) as server, load_plugin(server.address):
        assert refused(load_plugin(server.address).open).code is Code.RESOURCE_EXHAUSTED


def test_hostile_hosts_harm_no_other(address: str, tmp_path: Path) -> None:
    def header(length: int) -> bytes:
        return b"anyplug\n" + struct.pack("<IBBHI", length, 1, 0, 0, 0)

    garbage = [b"GET / HTTP/1.1\r\n\r\n", header(0xFFFFFFFF), header(5) + b"\xff" * 5]
    hostile = [("x.sock", sent) for sent in garbage]
    # A server of its own for hosts that say nothing more: a good one may be as slow as they are.
    hostile += [("impatient.sock", sent) for sent in (header(100), b"")]
    with (
        listen(counter(), f"unix:{tmp_path}/impatient.sock", hello_timeout=0.1),
        listen(counter(), address) as server,
        load_plugin(server.address) as plugin,
    ):
        for path, sent in hostile:
            with socket.socket(socket.AF_UNIX) as host:
                host.connect(str(tmp_path / path))
                host.sendall(sent)
                assert host.recv(1000).startswith(b"anyplug\n"), sent
        assert plugin.client(Test).echo(text="unharmed").text == "unharmed 1 "


def test_why_there_is_no_plugin_is_told(address: str) -> None:
    missing = refused(load_plugin(address).open)
    assert missing.code is Code.UNAVAILABLE
    assert missing.message.startswith(f"cannot connect to {address}: there is no")
    assert refused(load_plugin("tcp://127.0.0.1:1").open).code is Code.UNAVAILABLE
    assert refused(load_plugin("tcp://192.0.2.1:9").open).code is Code.FAILED_PRECONDITION
    assert refused(load_plugin("tcp:x").open).code is Code.INVALID_ARGUMENT
    other = refused(load_plugin(address, transport="tcp").open)
    assert 'reached by "unix", not by "tcp"' in other.message
    assert "env" in refused(load_plugin(address, env={"A": "b"}).open).message


def test_idempotent_calls_are_made_again_when_the_link_is_back_and_no_others(address: str) -> None:
    server = listen(counter(), address, drain_timeout=0.0)
    with load_plugin(server.address, reconnect=ReconnectOptions(initial_delay=0.001)) as plugin:
        client = plugin.client(Test)
        client.echo(text="before")
        server.close()
        lost = refused(lambda: client.wait(ms=1))
        assert lost.code is Code.UNAVAILABLE
        # Idempotent by its schema: it waits.
        answers: list[str] = []
        again = threading.Thread(target=lambda: answers.append(client.echo(text="after").text))
        again.start()
        with listen(counter(), address):
            again.join()
            assert answers == ["after 1 "]
            assert client.echo(text="after", options=CallOptions(timeout=30.0)).text == "after 2 "
    reason = plugin.close_reason
    assert reason is not None
    assert reason.message == 'plugin "counter" was closed'


def test_asyncio_idempotent_calls_are_made_again_when_the_link_is_back(address: str) -> None:
    run(lose_and_come_back(address))


async def lose_and_come_back(address: str) -> None:
    loop = asyncio.get_running_loop()
    server = listen(counter(), address, drain_timeout=0.0)
    async with load_plugin(server.address, reconnect=ReconnectOptions(initial_delay=0.001)) as plugin:
        client = plugin.client(Test)
        waiting = asyncio.ensure_future(client.wait(ms=1))
        assert (await client.echo(text="before")).text == "before 1 "
        await loop.run_in_executor(None, server.close)
        with pytest.raises(AnyplugError) as lost:
            await waiting
        assert lost.value.code is Code.UNAVAILABLE
        again = asyncio.ensure_future(client.echo(text="after"))
        with listen(counter(), address):
            assert (await again).text == "after 1 "


def test_attempts_are_further_and_further_apart_and_end(address: str) -> None:
    waits: list[float] = []

    def pace(delay: float) -> float:
        waits.append(delay)
        return 0.0

    options = ReconnectOptions(initial_delay=0.1, max_delay=0.3, max_attempts=4, random=lambda: 0.0, pace=pace)
    ended = threading.Event()
    server = listen(counter(), address)
    with load_plugin(server.address, reconnect=options) as plugin:
        plugin._link.on_ended(ended.set)
        server.close()
        ended.wait()
        assert waits == pytest.approx([0.05, 0.1, 0.15, 0.15])
        assert refused(lambda: plugin.client(Test).echo(text="x")).code is Code.UNAVAILABLE


def test_another_plugin_at_the_address_is_noticed(address: str) -> None:
    ended = threading.Event()
    server = listen(counter(), address)
    with load_plugin(server.address, reconnect=ReconnectOptions(initial_delay=0.001)) as plugin:
        plugin._link.on_ended(ended.set)
        server.close()
        with listen(counter("impostor"), address):
            ended.wait()
        reason = plugin.close_reason
        assert reason is not None
        assert 'has plugin "impostor" now, and had "counter"' in reason.message


def test_a_closed_link_leaves_nothing_to_its_event_loop(address: str) -> None:
    gone = threading.Event()

    async def visit() -> None:
        async with load_plugin(address) as plugin:
            link: Any = plugin._link
            weakref.finalize(link.current(), gone.set)
            assert (await plugin.client(Test).echo(text="x")).text == "x 1 "

    with listen(counter(), address):
        run(visit())
        # Who looked at it last may be about to leave.
        for _ in range(300):
            gc.collect()
            if gone.wait(0.1):
                break
        assert gone.is_set()


def certificates(name: str, ca: str = "authority") -> TlsOptions:
    part = {what: _CERTIFICATES / f"{name}.{what}" for what in ("pem", "key")}
    return TlsOptions(certificate=part["pem"], key=part["key"], ca=_CERTIFICATES / f"{ca}.pem")


def test_tls_carries_calls_between_two_of_one_authority_and_no_others() -> None:
    with listen(counter(), "tls://127.0.0.1:0", tls=certificates("plugin")) as server:
        stranger = refused(load_plugin(server.address, tls=certificates("stranger")).open)
        # The server tells why and closes; the close may arrive first.
        assert stranger.code in (Code.UNAUTHENTICATED, Code.UNAVAILABLE)
        misled = refused(load_plugin(server.address, tls=certificates("host", "stranger-authority")).open)
        assert misled.code is Code.UNAUTHENTICATED
        with load_plugin(server.address, tls=certificates("host")) as plugin:
            text = "x" * 1_000_000
            assert plugin.client(Test).echo(text=text).text == f"{text} 1 "
            assert plugin.transport == "tls"
