"""The plugins of the tests, in each language, loaded as hosts load them."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings

# What is generated is the same in each run, however slow the machine is; --hypothesis-profile=explore looks further.
_PATIENT = settings(deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("explore", _PATIENT)
settings.register_profile("same", _PATIENT, derandomize=True)
settings.load_profile("same")

ROOT = Path(__file__).resolve().parents[3]
TEST_PLUGINS = {
    "python": ROOT / "plugins" / "test-plugin" / "python",
    "rust": ROOT / "plugins" / "test-plugin" / "rust",
    "typescript": ROOT / "plugins" / "test-plugin" / "ts",
}
CELLS = [
    ("python", "direct"),
    ("python", "process"),
    ("python", "stdio"),
    ("rust", "process"),
    ("typescript", "process"),
]
"""Language of the plugin, and transport."""

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a test that is a coroutine; none takes that long."""

    async def limited() -> T:
        return await asyncio.wait_for(coroutine, 300)

    return asyncio.run(limited())


def wait_for_end(pid: int) -> None:
    """Waits until a process that is not our child has ended: the system tells nobody but its parent."""
    for _ in range(30_000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail(f"process {pid} has not ended")


def read_when_written(file: Path) -> str:
    """Waits for another process to write a short file, and returns what is in it."""
    for _ in range(30_000):
        if file.exists() and (text := file.read_text()):
            return text
        time.sleep(0.01)
    pytest.fail(f"{file} was not written")


@pytest.fixture(params=CELLS, ids=["-".join(cell) for cell in CELLS])
def cell(request: pytest.FixtureRequest) -> tuple[Path, str]:
    """Folder of a test plugin, and the transport to load it by."""
    language, transport = request.param
    return TEST_PLUGINS[language], transport


@pytest.fixture(autouse=True)
def _no_threads_are_left() -> Iterator[None]:
    """Each test closes what it loads: the threads of a connection end with it."""
    yield
    left = [thread for thread in threading.enumerate() if thread.name == "anyplug-worker"]
    for thread in left:
        # Those of a link that was lost end by themselves, a moment later.
        thread.join(300)
        assert not thread.is_alive()
