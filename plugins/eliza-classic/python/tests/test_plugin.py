"""ELIZA as a plugin in the host's own process."""

import json
from pathlib import Path

import pytest
from anyplug import AnyplugError, Code, load_plugin

FOLDER = Path(__file__).resolve().parents[1]
REFUSED = json.loads((FOLDER.parent / "data" / "refused-configurations.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", REFUSED, ids=[case["message"][:40] for case in REFUSED])
def test_configurations_are_refused_with_place_and_reason(case: dict[str, object]) -> None:
    with pytest.raises(AnyplugError) as caught:
        load_plugin(FOLDER, transport="direct", config=case["config"]).open()  # type: ignore[arg-type]
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message.startswith(f'plugin "eliza-classic" refused to start: {case["message"]}')
