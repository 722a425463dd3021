"""One request, one response."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from anyplug import AnyplugError, CallOptions, Code, Limits, Metadata
from anyplug_generated.anyplug.test.v1 import Everything, FailDetail
from anyplug_generated.anyplug.test.v1.test_anyplug import Test

from .cell import Cell

__all__ = (
    "a_crash_in_a_handler_ends_its_call_alone",
    "a_large_message_passes",
    "a_plugin_says_who_it_is",
    "a_thousand_calls_at_once_are_all_right",
    "an_error_keeps_code_message_and_details",
    "every_kind_of_field_comes_back_equal",
    "metadata_goes_both_ways",
    "ten_thousand_calls_at_once_are_all_right",
    "the_plugin_sees_the_remaining_time",
)


async def a_plugin_says_who_it_is(cell: Cell) -> None:
    plugin = await cell.plugin()
    assert (plugin.name, plugin.version, plugin.transport) == ("test-plugin", "0.1.0", cell.transport)
    assert plugin.manifest["offers"] == ["anyplug.test.v1.TestService"]


async def every_kind_of_field_comes_back_equal(cell: Cell) -> None:
    everything = Everything.parse((Path(__file__).resolve().parents[2] / "everything.binpb").read_bytes())
    answer = await (await cell.client()).echo(everything=everything)
    assert answer.everything == everything
    # What is compared is not all defaults.
    assert everything.uint64_value == (1 << 64) - 1
    assert everything.by_id[(1 << 63) - 1].bool_value
    assert everything.choice_child is not None


async def a_large_message_passes(cell: Cell) -> None:
    data = bytes(range(250)) * 12_000
    answer = await (await cell.client()).echo(data=data)
    assert answer.data == data


async def metadata_goes_both_ways(cell: Cell) -> None:
    headers: list[Metadata] = []
    trailers: list[Metadata] = []
    last = [("trailer-b", "last"), ("trailer-b", "very last")]
    sent = [("key", "one"), ("key", "zwei ü 三"), ("header-a", "first"), *last]
    options = CallOptions(metadata=sent, on_header=headers.append, on_trailer=trailers.append)
    answer = await (await cell.client()).echo(options=options)
    assert answer.metadata[:2] == ["key: one", "key: zwei ü 三"]
    assert [list(header) for header in headers] == [[("header-a", "first")]]
    assert [list(trailer) for trailer in trailers] == [last]


async def the_plugin_sees_the_remaining_time(cell: Cell) -> None:
    client = await cell.client()
    answer = await client.echo(options=CallOptions(timeout=60))
    assert answer.remaining_ms is not None
    assert 0 < answer.remaining_ms <= 60_000
    assert (await client.echo()).remaining_ms is None


async def an_error_keeps_code_message_and_details(cell: Cell) -> None:
    client = await cell.client()
    for code in Code:
        message = f"code {code.value}: ü"
        try:
            await client.fail(code=code.value, message=message, detail="more of it")
        except AnyplugError as error:
            assert (error.code, error.message) == (code, message)
            [detail] = error.details
            assert detail.type_url == "type.googleapis.com/anyplug.test.v1.FailDetail"
            assert FailDetail.parse(detail.value).text == "more of it"
        else:
            raise AssertionError(f"{code.name} did not fail")


async def a_crash_in_a_handler_ends_its_call_alone(cell: Cell) -> None:
    client = await cell.client()
    beside = asyncio.ensure_future(client.echo(text="beside"))
    if cell.transport == "wasm":
        # A module cannot unwind: a panic ends the instance, with whatever else it is at.
        await asyncio.wait([beside])
    try:
        await client.fail(crash=True, message="boom")
    except AnyplugError as error:
        assert error.code in (Code.UNKNOWN, Code.INTERNAL)
        assert not re.search(r"Traceback|\n|\.(ts|js|py|rs)\b", error.message)
    else:
        raise AssertionError("it did not fail")
    assert (await beside).text == "beside"
    assert (await client.echo(text="still there")).text == "still there"


async def a_thousand_calls_at_once_are_all_right(cell: Cell) -> None:
    client = await cell.client()
    texts = [f"call {index}" for index in range(1000)]
    answers = await asyncio.gather(*(client.echo(text=text) for text in texts))
    assert [answer.text for answer in answers] == texts


async def ten_thousand_calls_at_once_are_all_right(cell: Cell) -> None:
    async with cell.load(limits=Limits(max_pending_requests=10_000)) as plugin:
        client = plugin.client(Test)
        texts = [f"call {index}" for index in range(10_000)]
        answers = await asyncio.gather(*(client.echo(text=text) for text in texts))
        assert [answer.text for answer in answers] == texts
