"""What is a message and what is not, as test/vectors/messages.json has it, the same for every codec."""

import json
from pathlib import Path
from typing import Any

import pytest
from anyplug import AnyplugError
from anyplug_generated.anyplug.test.v1 import Everything

_VECTORS = json.loads((Path(__file__).parents[3] / "test/vectors/messages.json").read_text())


@pytest.mark.parametrize("vector", _VECTORS, ids=lambda vector: vector["name"])
def test_messages(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["bytes"])
    if "error" in vector:
        with pytest.raises(AnyplugError):
            Everything.parse(data)
    else:
        assert bytes(Everything.parse(data)).hex() == vector["again"]
