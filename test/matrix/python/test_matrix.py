"""A host in Python and plugins in every language, over every transport: test/matrix/behaviours.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyplug_matrix import callbacks, calls, ends, limits, process, schemas, streams
from anyplug_matrix.cell import Behaviour, Cell, Language, Transport

pytestmark = pytest.mark.between_languages

_WANTED = json.loads((Path(__file__).parents[1] / "behaviours.json").read_text(encoding="utf-8"))
_MODULES = (calls, streams, ends, callbacks, limits, process, schemas)
_BEHAVIOURS: dict[str, Behaviour] = {name: getattr(module, name) for module in _MODULES for name in module.__all__}
_LANGUAGES: tuple[Language, ...] = ("typescript", "python", "rust")
_CELLS: list[tuple[Language, Transport]] = [
    ("python", "direct"),
    *[(language, transport) for language in _LANGUAGES for transport in ("process", "stdio")],
    *[(language, transport) for language in _LANGUAGES for transport in ("unix", "tcp")],
]


def test_this_suite_has_the_behaviours_of_the_list_each_once() -> None:
    assert sorted(_BEHAVIOURS) == sorted(behaviour["name"] for behaviour in _WANTED)
    assert len(_BEHAVIOURS) == sum(len(module.__all__) for module in _MODULES)


@pytest.fixture(scope="module", params=_CELLS, ids=["-".join(cell) for cell in _CELLS])
def cell(request: pytest.FixtureRequest) -> Iterator[Cell]:
    cell = Cell(*request.param)
    yield cell
    cell.close()


@pytest.mark.parametrize("behaviour", _WANTED, ids=[behaviour["name"] for behaviour in _WANTED])
def test_behaviour(cell: Cell, behaviour: dict[str, object]) -> None:
    transports = behaviour.get("transports", ["direct", "process", "stdio", "unix", "tcp"])
    assert isinstance(transports, list)
    if cell.transport not in transports:
        # Not skipped: that it does not apply, and why, is written in the list.
        assert behaviour["why"]
        return
    cell.run(_BEHAVIOURS[str(behaviour["name"])](cell))
