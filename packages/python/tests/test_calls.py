"""The four kinds of call, by synchronous and asyncio clients, to plugins in every language and over every transport."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from anyplug import AnyplugError, CallOptions, Code, Metadata, load_plugin
from anyplug_generated.anyplug.test.v1 import (
    ConverseRequest,
    EchoRequest,
    Everything,
    EverythingNested,
    EverythingNestedKind,
    FailDetail,
    FailRequest,
    SumRequest,
)
from anyplug_generated.anyplug.test.v1.test_anyplug import Test

from .conftest import TEST_PLUGINS, run

pytestmark = pytest.mark.between_languages

Cell = tuple[Path, str]


def everything() -> Everything:
    return Everything(
        int64_value=-(1 << 63),
        uint64_value=(1 << 64) - 1,
        string_value="äöü € 🙂",
        bytes_value=b"\x00\xff",
        maybe_int32=0,
        names=["", "b"],
        labels={"k": "v"},
        child=Everything(bool_value=True),
        nested=EverythingNested(kind=EverythingNestedKind.ONE),
    )


def test_unary(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        client = plugin.client(Test)
        assert client.echo(text="hello", data=b"\0\1").text == "hello"
        answer = client.echo(EchoRequest(text="", everything=everything()))
        assert answer.everything == everything()
        assert plugin.transport == transport
        assert (plugin.name, plugin.version) == ("test-plugin", "0.1.0")
        assert plugin.manifest["name"] == "test-plugin"


def test_calls_one_after_the_other_leave_the_loop_to_others() -> None:
    async def main() -> None:
        async with load_plugin(TEST_PLUGINS["rust"], transport="process") as plugin:
            client = plugin.client(Test)
            timer = asyncio.Event()
            asyncio.get_running_loop().call_later(0, timer.set)
            calls = 0
            while not timer.is_set() and calls < 1000:
                assert (await client.echo(text="hello")).text == "hello"
                calls += 1
            assert timer.is_set()

    run(main())


def test_unary_of_asyncio(cell: Cell) -> None:
    async def main() -> None:
        folder, transport = cell
        async with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
            client = plugin.client(Test)
            answer = await client.echo(EchoRequest(text="hello", everything=everything()))
            assert (answer.text, answer.everything) == ("hello", everything())

    run(main())


def test_server_stream(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        client = plugin.client(Test)
        assert [response.index for response in client.count(count=300, size=1000)] == list(range(300))
        assert list(client.count(count=0)) == []


def test_server_stream_of_asyncio(cell: Cell) -> None:
    async def main() -> None:
        folder, transport = cell
        async with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
            responses = plugin.client(Test).count(count=300, size=1000)
            assert [response.index async for response in responses] == list(range(300))

    run(main())


def numbers(count: int) -> Iterator[SumRequest]:
    return (SumRequest(number=number, data=bytes(1000)) for number in range(count))


def test_client_stream(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        client = plugin.client(Test)
        answer = client.sum(numbers(300))
        assert (answer.sum, answer.count) == (44850, 300)
        assert client.sum([SumRequest(number=5), SumRequest(number=-7)]).sum == -2
        assert client.sum([]).count == 0


async def numbers_of_asyncio(count: int) -> AsyncIterator[SumRequest]:
    for request in numbers(count):
        yield request


def test_client_stream_of_asyncio(cell: Cell) -> None:
    async def main() -> None:
        folder, transport = cell
        async with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
            client = plugin.client(Test)
            assert (await client.sum(numbers_of_asyncio(300))).sum == 44850
            assert (await client.sum([SumRequest(number=5)])).sum == 5

    run(main())


def test_bidirectional_stream_is_answered_request_by_request(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        seen: list[str] = []

        def requests() -> Iterator[ConverseRequest]:
            for number in range(20):
                yield ConverseRequest(text=str(number))
                seen.append(str(number))

        answers = [response.text for response in plugin.client(Test).converse(requests())]
        assert answers == [str(number) for number in range(20)] == seen


def test_bidirectional_stream_of_asyncio_is_answered_request_by_request(cell: Cell) -> None:
    async def main() -> None:
        folder, transport = cell
        async with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
            import asyncio

            answered: asyncio.Queue[str] = asyncio.Queue()

            async def requests() -> AsyncIterator[ConverseRequest]:
                text = "x"
                for _ in range(20):
                    yield ConverseRequest(text=text)
                    text = await answered.get() + "x"

            async for response in plugin.client(Test).converse(requests()):
                answered.put_nowait(response.text)
                last = response.text
            assert last == "x" * 20

    run(main())


def test_a_failure_tells_code_message_and_details(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        client = plugin.client(Test)
        for code in Code:
            with pytest.raises(AnyplugError) as caught:
                client.fail(code=code, message="it did not work", detail="why")
            assert (caught.value.code, caught.value.message) == (code, "it did not work")
            assert caught.value.detail(FailDetail) == FailDetail(text="why")
        # The connection is as before.
        assert client.echo(text="still there").text == "still there"


def test_a_stream_that_fails_gives_what_came_before(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        responses = plugin.client(Test).count(count=3, fail=FailRequest(code=Code.ABORTED, message="lost"))
        assert [next(responses).index for _ in range(3)] == [0, 1, 2]
        with pytest.raises(AnyplugError, match="ABORTED: lost"):
            next(responses)
        # After the end there is nothing, as with any iterator.
        assert list(responses) == []


@pytest.mark.parametrize("transport", ["direct", "process"])
def test_an_exception_of_a_handler_is_told_by_type_and_text_only(
    transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    with load_plugin(TEST_PLUGINS["python"], transport=transport) as plugin:  # type: ignore[arg-type]
        with pytest.raises(AnyplugError) as caught:
            plugin.client(Test).fail(message="on purpose", crash=True)
        assert (caught.value.code, caught.value.message) == (Code.UNKNOWN, "RuntimeError: on purpose")
        assert caught.value.details == ()
    if transport == "direct":
        assert "on purpose" in caplog.text


def test_metadata_goes_both_ways_and_an_illegal_key_is_refused(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        client = plugin.client(Test)
        headers: list[Metadata] = []
        options = CallOptions(metadata=[("a", "1"), ("b-c", "2"), ("a", "3")], on_header=headers.append)
        assert client.echo(options=options).metadata == ["a: 1", "b-c: 2", "a: 3"]
        assert headers == [()]
        assert client.echo(options=CallOptions(metadata={"x": "ü"})).metadata == ["x: ü"]
        with pytest.raises(AnyplugError, match='INVALID_ARGUMENT: metadata key "Bad Key"'):
            client.echo(options=CallOptions(metadata={"Bad Key": "1"}))


def test_the_remaining_time_is_told(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        client = plugin.client(Test)
        remaining = client.echo(options=CallOptions(timeout=50)).remaining_ms
        assert remaining is not None
        assert 0 < remaining <= 50_000
        assert client.echo(options=CallOptions(timeout=math.inf)).remaining_ms is None
        assert client.echo().remaining_ms is None


def test_a_message_over_the_limit_fails_its_call_alone() -> None:
    for language in TEST_PLUGINS:
        with load_plugin(TEST_PLUGINS[language], transport="process") as plugin:
            client = plugin.client(Test)
            with pytest.raises(AnyplugError, match=r"RESOURCE_EXHAUSTED: .*max_message_bytes") as caught:
                client.echo(data=bytes(5 << 20))
            assert caught.value.code is Code.RESOURCE_EXHAUSTED
            assert len(client.echo(data=bytes(3 << 20)).data) == 3 << 20


def test_many_streams_at_once_go_each_its_own_way() -> None:
    async def main() -> None:
        import asyncio

        async with load_plugin(TEST_PLUGINS["rust"]) as plugin:
            client = plugin.client(Test)

            async def count(number: int) -> list[int]:
                return [response.index async for response in client.count(count=number, size=3000)]

            for number, indices in enumerate(await asyncio.gather(*(count(number) for number in range(100)))):
                assert indices == list(range(number))

    run(main())
