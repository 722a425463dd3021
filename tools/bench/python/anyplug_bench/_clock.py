"""Rounds of a given time, and what they come to."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

__all__ = (
    "IN_FLIGHT",
    "LARGE",
    "LARGE_IN_FLIGHT",
    "SHORT_STREAM",
    "SMALL",
    "STREAM",
    "STREAMS",
    "Answer",
    "AsyncRuns",
    "Runs",
    "async_latency",
    "async_measurements",
    "latency",
    "measurements",
    "operation",
    "percentiles",
    "serve_async",
    "serve_sync",
)

# So many calls are made before the first that counts, as far as there is time: what is set up by the first call is not
# measured.
WARM_UP = 20

# What a small call carries, in bytes; calls in flight; a large message; how many are in flight; messages of a stream.
SMALL = 64
IN_FLIGHT = 64
LARGE = 1 << 20
LARGE_IN_FLIGHT = 4
STREAM = 2_000
# Streams at the same time, and the messages of each.
STREAMS = 1_000
SHORT_STREAM = 10

Answer = dict[str, Any]
Runs = Mapping[str, Callable[[float], Answer]]
AsyncRuns = Mapping[str, Callable[[float], Awaitable[Answer]]]


def percentiles(samples: list[float]) -> Answer:
    """Returns the median and the 99th percentile."""
    samples.sort()
    return {"value": samples[len(samples) // 2], "p99": samples[int(len(samples) * 0.99)]}


def operation(ms: float, run: Callable[[], object]) -> Answer:
    """Runs in batches of about 0.5 ms for ``ms``: the median of the batches, in microseconds an operation."""

    def batch_time(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            run()
        return (time.perf_counter() - start) * 1e6 / count

    batch = max(1, min(1_000_000, int(500 / max(batch_time(64), 0.001))))
    samples: list[float] = []
    end = time.perf_counter() + ms / 1e3
    while not samples or time.perf_counter() < end:
        samples.append(batch_time(batch))
    return percentiles(samples)


def measurements(
    echo: Callable[[int], object],
    stream: Callable[[int, int], int] | None = None,
    batch: int = 1,
    *,
    threads: bool = True,
    messages: int = STREAM,
) -> dict[str, Callable[[float], Answer]]:
    """Returns what is measured of calls that block.

    ``echo`` sends and gets back that many bytes; ``stream`` gets that many messages of that size and returns their
    number; one stream has ``messages``. A sample of the latency is the mean of ``batch`` calls. Many calls are in
    flight by as many threads.
    """
    runs: dict[str, Callable[[float], Answer]] = {"latency": lambda ms: latency(ms, lambda: echo(SMALL), batch)}
    if threads:
        runs["throughput"] = lambda ms: {"value": _throughput(ms, IN_FLIGHT, lambda: echo(SMALL))}
        runs["bulk"] = lambda ms: {"value": _throughput(ms, LARGE_IN_FLIGHT, lambda: echo(LARGE)) * 2 * LARGE / 1e6}
    if stream is not None:
        runs["stream"] = lambda ms: {
            "value": _throughput(ms, 1, lambda: _whole(stream(messages, SMALL), messages)) * messages
        }
    return runs


def _whole(count: int, expected: int) -> None:
    if count != expected:
        raise RuntimeError(f"a stream of {count} messages")


def latency(ms: float, call: Callable[[], object], batch: int) -> Answer:
    """Calls one after the other for ``ms``: the median and the 99th percentile of a call, in microseconds."""
    clock = time.perf_counter
    begin = clock()
    for _ in range(WARM_UP):
        call()
        if clock() - begin > ms / 1e3:
            break
    samples: list[float] = []
    end = now = clock()
    end += ms / 1e3
    while now < end:
        start = clock()
        for _ in range(batch):
            call()
        now = clock()
        samples.append((now - start) * 1e6 / batch)
    return percentiles(samples)


def _throughput(ms: float, in_flight: int, call: Callable[[], object]) -> float:
    counts = [0] * in_flight
    failures: list[BaseException] = []
    start = time.perf_counter()
    end = start + ms / 1e3

    def lane(index: int) -> None:
        try:
            while time.perf_counter() < end:
                call()
                counts[index] += 1
        except Exception as error:
            failures.append(error)

    if in_flight == 1:
        lane(0)
    else:
        lanes = [threading.Thread(target=lane, args=(index,)) for index in range(in_flight)]
        for thread in lanes:
            thread.start()
        for thread in lanes:
            thread.join()
    if failures:
        raise failures[0]
    return sum(counts) / (time.perf_counter() - start)


def async_measurements(
    echo: Callable[[int], Awaitable[object]],
    stream: Callable[[int, int], Awaitable[int]] | None = None,
    batch: int = 1,
    *,
    messages: int = STREAM,
) -> dict[str, Callable[[float], Awaitable[Answer]]]:
    """Returns what is measured of calls that are awaited; as `measurements`, with a task for each call in flight."""

    async def throughput(ms: float) -> Answer:
        return {"value": await _async_throughput(ms, IN_FLIGHT, lambda: echo(SMALL))}

    async def bulk(ms: float) -> Answer:
        calls = await _async_throughput(ms, LARGE_IN_FLIGHT, lambda: echo(LARGE))
        return {"value": calls * 2 * LARGE / 1e6}

    runs: dict[str, Callable[[float], Awaitable[Answer]]] = {
        "latency": lambda ms: async_latency(ms, lambda: echo(SMALL), batch),
        "throughput": throughput,
        "bulk": bulk,
    }
    if stream is not None:
        receive = stream

        async def streamed(ms: float, in_flight: int, count: int) -> Answer:
            async def once() -> None:
                _whole(await receive(count, SMALL), count)

            return {"value": await _async_throughput(ms, in_flight, once) * count}

        runs["stream"] = lambda ms: streamed(ms, 1, messages)
        runs["streams"] = lambda ms: streamed(ms, STREAMS, SHORT_STREAM)
    return runs


async def async_latency(ms: float, call: Callable[[], Awaitable[object]], batch: int) -> Answer:
    """Awaits one call after the other; as `latency`."""
    clock = time.perf_counter
    begin = clock()
    for _ in range(WARM_UP):
        await call()
        if clock() - begin > ms / 1e3:
            break
    samples: list[float] = []
    end = now = clock()
    end += ms / 1e3
    while now < end:
        start = clock()
        for _ in range(batch):
            await call()
        now = clock()
        samples.append((now - start) * 1e6 / batch)
    return percentiles(samples)


async def _async_throughput(ms: float, in_flight: int, call: Callable[[], Awaitable[object]]) -> float:
    count = 0
    start = time.perf_counter()
    end = start + ms / 1e3

    async def lane() -> None:
        nonlocal count
        while time.perf_counter() < end:
            await call()
            count += 1

    await asyncio.gather(*(lane() for _ in range(in_flight)))
    return count / (time.perf_counter() - start)


def serve_sync(runs: Runs) -> None:
    """Answers rounds until standard input ends."""
    _say({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = runs[request["run"]](request["ms"])
        except Exception:
            answer = {"error": traceback.format_exc()}
        _say(answer)


async def serve_async(runs: AsyncRuns) -> None:
    """Answers rounds until standard input ends; the loop is at rest meanwhile."""
    _say({"ready": True})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        try:
            answer = await runs[request["run"]](request["ms"])
        except Exception:
            answer = {"error": traceback.format_exc()}
        _say(answer)


def _say(answer: Answer) -> None:
    print(json.dumps(answer), flush=True)
