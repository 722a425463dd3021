"""A host in Python and plugins in languages that there is no SDK of ours for: what they have of behaviours.json."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyplug_matrix import callbacks, calls, ends, streams
from anyplug_matrix.cell import Behaviour, Cell

pytestmark = pytest.mark.between_languages

_HERE = Path(__file__).resolve().parent
_WANTED = json.loads((_HERE.parent / "header-only.json").read_text())
_KNOWN: dict[str, Behaviour] = {
    name: getattr(module, name) for module in (calls, streams, ends, callbacks) for name in module.__all__
}


@pytest.fixture(scope="module", params=_WANTED["languages"])
def cell(request: pytest.FixtureRequest) -> Iterator[Cell]:
    is_built = (_HERE.parents[2] / "plugins" / "test-plugin" / request.param / "bin").exists()
    has_go = shutil.which("go") or Path("/usr/local/go/bin/go").exists()
    if request.param == "go" and not is_built and not has_go:
        pytest.skip("there is no Go on this machine")
    cell = Cell(request.param, "ffi")
    yield cell
    cell.close()


@pytest.mark.parametrize("name", _WANTED["behaviours"])
def test_behaviour(cell: Cell, name: str) -> None:
    cell.run(_KNOWN[name](cell))
