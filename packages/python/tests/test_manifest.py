"""plugin.json, by the cases that the three languages share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from anyplug import AnyplugError, Code, load_plugin
from anyplug._native import locate_plugin

VECTORS = Path(__file__).parents[3] / "test" / "vectors" / "manifest"


def cases(file: str) -> pytest.MarkDecorator:
    entries = json.loads((VECTORS / file).read_text())
    assert entries
    return pytest.mark.parametrize("case", entries, ids=lambda case: case["name"])


@cases("accepted.json")
def test_it_is_read(case: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "plugin.json").write_text(json.dumps(case["manifest"]))
    file, folder, name, _, language, _, transports, capabilities, is_derived = locate_plugin(tmp_path)
    assert (Path(file), Path(folder)) == (tmp_path / "plugin.json", tmp_path)
    assert not is_derived
    expected = case["expected"]
    assert (name, language) == (expected["name"], expected["language"])
    assert list(transports or ()) == expected.get("transports", [])
    assert list(capabilities) == expected.get("capabilities", [])


@cases("refused.json")
def test_what_does_not_fit_is_named(case: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "plugin.json").write_text(json.dumps(case["manifest"]))
    with pytest.raises(AnyplugError) as raised:
        load_plugin(tmp_path).open()
    assert raised.value.code is Code.INVALID_ARGUMENT
    assert raised.value.message == f"{tmp_path / 'plugin.json'}: {case['error']}"


@cases("paths.json")
def test_paths_stay_in_the_folder(case: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "plugin"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.js").touch()
    for name, content in case["files"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content)
        else:
            path.symlink_to(content["link"])
    folder.mkdir(exist_ok=True)
    manifest = {"name": "x", "version": "1", "language": "python", "interop": case["interop"]}
    (folder / "plugin.json").write_text(json.dumps(manifest))
    if case["error"] is None:
        assert Path(locate_plugin(folder)[1]) == folder
    else:
        with pytest.raises(AnyplugError) as raised:
            load_plugin(folder).open()
        assert raised.value.message == f"{folder / 'plugin.json'}: {case['error']}"
