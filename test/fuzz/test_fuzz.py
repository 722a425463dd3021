"""The short run: what is kept, the vectors, and inputs of one seed."""

import json
from collections.abc import Iterator
from itertools import chain

import pytest
from anyplug_fuzz.corpus import corpus
from anyplug_fuzz.run import run, seeded
from anyplug_fuzz.schema import ROOT

_SEED, _COUNT = 4, 3_000


def _vectors() -> Iterator[tuple[str, bytes]]:
    for vector in json.loads((ROOT / "test/vectors/messages.json").read_text()):
        yield "anyplug.test.v1.Everything", bytes.fromhex(vector["bytes"])


@pytest.mark.between_languages
def test_the_codecs_take_the_same_bytes_alike() -> None:
    findings = list(run(chain(_vectors(), corpus(), seeded(_SEED, _COUNT))))
    assert not findings, "\n".join(map(str, findings[:20]))
