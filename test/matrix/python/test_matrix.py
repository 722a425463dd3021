"""A host in Python and plugins in every language, over every transport: test/matrix/behaviours.json."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from anyplug_matrix import callbacks, calls, ends, limits, process, schemas, streams
from anyplug_matrix.cell import Behaviour, Cell
from anyplug_matrix.list import BEHAVIOURS_WANTED, CELLS_WANTED, applies
from anyplug_matrix.report import is_asked, report

pytestmark = pytest.mark.between_languages

_MODULES = (calls, streams, ends, callbacks, limits, process, schemas)
_BEHAVIOURS: dict[str, Behaviour] = {name: getattr(module, name) for module in _MODULES for name in module.__all__}
_CELLS = [cell for cell in CELLS_WANTED if is_asked(*cell)]


def test_this_suite_has_the_behaviours_of_the_list_each_once() -> None:
    assert sorted(_BEHAVIOURS) == sorted(wanted["name"] for wanted in BEHAVIOURS_WANTED)
    assert len(_BEHAVIOURS) == sum(len(module.__all__) for module in _MODULES)


@pytest.fixture(scope="module", params=_CELLS, ids=["-".join(cell) for cell in _CELLS])
def cell(request: pytest.FixtureRequest) -> Iterator[Cell]:
    cell = Cell(*request.param)
    yield cell
    cell.close()


@pytest.mark.parametrize("name", [wanted["name"] for wanted in BEHAVIOURS_WANTED])
def test_behaviour(cell: Cell, name: str) -> None:
    [wanted] = [wanted for wanted in BEHAVIOURS_WANTED if wanted["name"] == name]
    if not applies(wanted, cell.transport):
        # Not skipped: that it does not apply, and why, is written in the list.
        assert wanted["why"]
        report(cell.language, cell.transport, name, "not applicable")
        return
    result, begun = "failed", time.monotonic()
    try:
        cell.run(_BEHAVIOURS[name](cell))
        result = "passed"
    finally:
        report(cell.language, cell.transport, name, result, time.monotonic() - begun)
