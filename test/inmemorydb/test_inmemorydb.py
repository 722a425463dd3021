"""The plugins of the three languages with many vectors, beside numpy."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from anyplug import load_plugin
from anyplug_generated.inmemorydb.v1 import Entry, HnswIndex, SetManyRequest
from anyplug_generated.inmemorydb.v1.inmemorydb_anyplug import InMemoryDb, InMemoryDbSyncClient

pytestmark = pytest.mark.between_languages

PLUGINS = Path(__file__).resolve().parents[2] / "plugins" / "inmemorydb"
BLOCK = 500

Floats: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
Databases: TypeAlias = Mapping[str, InMemoryDbSyncClient]


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    """The plugin of each language in a process."""
    with ExitStack() as stack:
        yield {
            language: stack.enter_context(load_plugin(PLUGINS / language, transport="process")).client(InMemoryDb)
            for language in ("ts", "rust", "python")
        }


def store(databases: Databases, collection: str, vectors: Floats) -> None:
    for start in range(0, len(vectors), BLOCK):
        rows = vectors[start : start + BLOCK].tolist()
        entries = [Entry(key=key(start + at), vector=row) for at, row in enumerate(rows)]
        request = SetManyRequest(collection=collection, entries=entries)
        for db in databases.values():
            db.set_many([request])


def key(number: int) -> str:
    return f"{number:06}"


def answer(db: InMemoryDbSyncClient, collection: str, vector: Floats, *, exact: bool) -> list[tuple[str, float]]:
    found = db.search(collection=collection, vector=vector.tolist(), top_k=10, exact=exact)
    return [("" if match.entry is None else match.entry.key, match.score) for match in found.matches]


def nearest_by_numpy(vectors: Floats, queries: Floats) -> Iterator[list[tuple[str, float]]]:
    """The ten highest cosines by numpy in doubles, for each query."""
    asked = queries.astype(np.float64)
    blocks = (vectors[start : start + 10_000].astype(np.float64) for start in range(0, len(vectors), 10_000))
    cosines = [block @ asked.T / np.linalg.norm(block, axis=1)[:, np.newaxis] for block in blocks]
    for scores in (np.concatenate(cosines) / np.linalg.norm(asked, axis=1)).T:
        order = np.argsort(-scores, kind="stable")[:10]
        yield [(key(int(row)), float(scores[row])) for row in order]


def test_exact_search_in_100_000_vectors_of_384_dimensions_agrees_with_numpy_in_every_language(
    databases: Databases,
) -> None:
    random = np.random.default_rng(384)
    vectors = random.standard_normal((100_000, 384), np.float32)
    store(databases, "many", vectors)
    queries = np.concatenate([random.standard_normal((15, 384), np.float32), vectors[:5]])
    for query, expected in zip(queries, nearest_by_numpy(vectors, queries), strict=True):
        answers = [answer(db, "many", query, exact=True) for db in databases.values()]
        assert answers[0] == answers[1] == answers[2]
        assert [found for found, _ in answers[0]] == [found for found, _ in expected]
        assert [score for _, score in answers[0]] == pytest.approx([score for _, score in expected], abs=1e-14)
    for db in databases.values():
        db.drop_collection(collection="many")


def test_an_index_finds_95_of_100_and_the_same_in_every_language(databases: Databases) -> None:
    random = np.random.default_rng(10)
    centres = random.standard_normal((20, 48), np.float32)
    vectors = random.standard_normal((1_150, 48), np.float32)
    vectors[::2] = vectors[::2] / 2 + centres[random.integers(len(centres), size=575)]
    queries = vectors[1_100:]
    for db in databases.values():
        db.create_collection(collection="few", hnsw=HnswIndex())
    store(databases, "few", vectors[:1_100])
    assert recall(databases, vectors, list(range(1_100)), queries) >= 0.95
    # What is removed and what is replaced leaves an index that is as good.
    for db in databases.values():
        for number in range(90):
            db.delete(collection="few", key=key(number))
    store(databases, "few", vectors[:30])
    assert recall(databases, vectors, [*range(30), *range(90, 1_100)], queries) >= 0.95


def recall(databases: Databases, vectors: Floats, stored: list[int], queries: Floats) -> float:
    """How many of the nearest the index finds, in every language the same."""
    hits = 0
    for query, expected in zip(queries, nearest_by_numpy(vectors[stored], queries), strict=True):
        answers = [answer(db, "few", query, exact=False) for db in databases.values()]
        assert answers[0] == answers[1] == answers[2]
        hits += len({found for found, _ in answers[0]} & {key(stored[int(found)]) for found, _ in expected})
    return hits / 10 / len(queries)
