"""The shared cases, in this process, in one of its own, and with plugins in other languages."""

import importlib.util
from pathlib import Path

import pytest
from anyplug import AnyplugError, TransportName, load_plugin
from anyplug_generated.inmemorydb.v1 import Entry
from anyplug_generated.inmemorydb.v1.inmemorydb_anyplug import InMemoryDb

FOLDER = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location("inmemorydb_play", FOLDER / "tests" / "play.py")
assert spec is not None
assert spec.loader is not None
play = importlib.util.module_from_spec(spec)
spec.loader.exec_module(play)

DIRECT: TransportName = "direct"
PROCESS: TransportName = "process"


@pytest.mark.parametrize(
    ("language", "transport"),
    [
        ("python", DIRECT),
        ("python", PROCESS),
        pytest.param("ts", PROCESS, marks=pytest.mark.between_languages),
        pytest.param("rust", PROCESS, marks=pytest.mark.between_languages),
    ],
)
def test_the_plugin_answers_as_the_shared_cases_say(language: str, transport: TransportName) -> None:
    with load_plugin(FOLDER.parent / language, transport=transport) as plugin:
        for case in play.CASES:
            play.empty(plugin)
            assert play.play(plugin, case["steps"]) == case["steps"], case["name"]


def test_what_a_host_does_to_its_messages_afterwards_is_not_in_the_database() -> None:
    with load_plugin(FOLDER, transport="direct") as plugin:
        db = plugin.client(InMemoryDb)
        entry = Entry(key="a", vector=[1.0, 2.0])
        db.set(collection="c", entry=entry)
        entry.vector[0] = 3.0
        got = db.get(collection="c", key="a").entry
        assert got is not None
        assert got.vector == [1.0, 2.0]
        got.vector[0] = 3.0
        again = db.get(collection="c", key="a").entry
        assert again is not None
        assert again.vector == [1.0, 2.0]


def test_what_no_message_can_carry_is_refused_in_the_same_process_too() -> None:
    with load_plugin(FOLDER, transport="direct") as plugin:
        db = plugin.client(InMemoryDb)
        with pytest.raises(AnyplugError, match=r"entry\.key: expected Unicode text, got half of a surrogate pair"):
            db.set(collection="c", entry=Entry(key="\ud83d"))
        with pytest.raises(AnyplugError, match=r"entry\.vector\[0\]: expected a finite number of 32 bits"):
            db.set(collection="c", entry=Entry(key="a", vector=[1e39]))
