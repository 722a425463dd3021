"""Collections by their names, behind InMemoryDbService."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from threading import RLock

from anyplug import AnyplugError, Code, Context, RequestStream
from anyplug_generated.inmemorydb.v1 import (
    ClearRequest,
    ClearResponse,
    CountRequest,
    CountResponse,
    CreateCollectionRequest,
    CreateCollectionResponse,
    DeleteRequest,
    DeleteResponse,
    DropCollectionRequest,
    DropCollectionResponse,
    Entry,
    GetRequest,
    GetResponse,
    HnswIndex,
    ListCollectionsRequest,
    ListCollectionsResponse,
    ListRequest,
    ListResponse,
    Match,
    SearchRequest,
    SearchResponse,
    SetManyRequest,
    SetManyResponse,
    SetRequest,
    SetResponse,
)
from anyplug_generated.inmemorydb.v1 import Collection as CollectionMessage
from anyplug_generated.inmemorydb.v1.inmemorydb_anyplug import InMemoryDbHandler

from ._checks import check_dimensions, check_name, floats_of, parameter, refusal
from ._collection import Collection, CollectionOptions, Query
from ._entry import accept, written
from ._graph import GraphOptions
from ._metadata import filter_of

__all__ = ["Database"]

_USUAL_TOP_K = 10
_MAX_EF = 10_000


class Database(InMemoryDbHandler):
    """All that the plugin keeps. Handlers run in threads: one at a time is at the collections."""

    def __init__(self) -> None:
        self._collections: dict[str, Collection] = {}
        self._lock = RLock()

    def create_collection(self, request: CreateCollectionRequest, context: Context) -> CreateCollectionResponse:
        name, dimensions = request.collection, request.dimensions
        check_name("collection", name)
        check_dimensions("dimensions", dimensions, 0, name)
        options = CollectionOptions(dimensions, _graph_options(request.hnsw))
        with self._lock:
            if name in self._collections:
                raise AnyplugError(Code.ALREADY_EXISTS, f'collection "{name}" exists already')
            self._collections[name] = Collection(name, options)
        return CreateCollectionResponse()

    def drop_collection(self, request: DropCollectionRequest, context: Context) -> DropCollectionResponse:
        with self._lock:
            return DropCollectionResponse(dropped=self._collections.pop(request.collection, None) is not None)

    def list_collections(self, request: ListCollectionsRequest, context: Context) -> ListCollectionsResponse:
        with self._lock:
            found = sorted(self._collections.values(), key=lambda collection: collection.name)
            return ListCollectionsResponse(collections=[_described(collection) for collection in found])

    def get(self, request: GetRequest, context: Context) -> GetResponse:
        with self._lock:
            found = self._read(request.collection)
            stored = found.get(request.key)
            return GetResponse(entry=None if stored is None else written(stored, found.vector_of(stored)))

    def set(self, request: SetRequest, context: Context) -> SetResponse:
        return SetResponse(replaced=self._store(request.collection, [("entry", request.entry)]).replaced > 0)

    def set_many(self, requests: RequestStream[SetManyRequest], context: Context) -> SetManyResponse:
        counts = SetManyResponse()
        name = ""
        for request in requests:
            name = request.collection or name
            stored = self._store(name, [(f"entries[{at}]", entry) for at, entry in enumerate(request.entries)])
            counts.created += stored.created
            counts.replaced += stored.replaced
        return counts

    def delete(self, request: DeleteRequest, context: Context) -> DeleteResponse:
        with self._lock:
            return DeleteResponse(deleted=self._read(request.collection).delete(request.key))

    def list(self, request: ListRequest, context: Context) -> Iterator[ListResponse]:
        test = filter_of(request.filter)
        with self._lock:
            found = self._read(request.collection)
            entries = found.list(test, request.after, request.limit)
            vectors = [found.vector_of(stored) if request.include_vectors else None for stored in entries]
            kept = [None if vector is None else vector.copy() for vector in vectors]
        for stored, vector in zip(entries, kept, strict=True):
            yield ListResponse(entry=written(stored, vector))

    def count(self, request: CountRequest, context: Context) -> CountResponse:
        test = filter_of(request.filter)
        with self._lock:
            found = self._read(request.collection)
            return CountResponse(count=sum(1 for _ in found.matching(test)) if test else found.size)

    def clear(self, request: ClearRequest, context: Context) -> ClearResponse:
        with self._lock:
            return ClearResponse(removed=self._read(request.collection).clear())

    def search(self, request: SearchRequest, context: Context) -> SearchResponse:
        check_name("collection", request.collection)
        vector = floats_of("vector", request.vector)
        with self._lock:
            found = self._read(request.collection)
            if not len(vector) and not found.dimensions:
                raise refusal("vector: expected numbers, got nothing")
            check_dimensions("vector", len(vector), found.dimensions, found.name)
            if request.threshold is not None and not math.isfinite(request.threshold):
                raise refusal("threshold: expected a finite number")
            ef_search = parameter("ef_search", request.ef_search, 0, 0, _MAX_EF)
            query = Query(
                vector=vector,
                count=request.top_k or _USUAL_TOP_K,
                threshold=request.threshold,
                filter=filter_of(request.filter),
                exact=request.exact,
                ef_search=ef_search,
            )
            matches = [
                Match(entry=written(stored, found.vector_of(stored) if request.include_vectors else None), score=score)
                for score, stored in found.search(query)
            ]
        return SearchResponse(matches=matches)

    def _read(self, name: str) -> Collection:
        """Returns a collection, or an empty one in its place."""
        return self._collections.get(name) or Collection(name)

    def _store(self, name: str, entries: Sequence[tuple[str, Entry | None]]) -> SetManyResponse:
        """Stores all of them, or refuses all."""
        check_name("collection", name)
        accepted = [(place, accept(place, entry)) for place, entry in entries]
        with self._lock:
            collection = self._read(name)
            collection.check(accepted)
            if accepted:
                self._collections[name] = collection
            replaced = sum(collection.set(entry) for _, entry in accepted)
        return SetManyResponse(created=len(accepted) - replaced, replaced=replaced)


def _described(collection: Collection) -> CollectionMessage:
    graph = collection.options.graph
    hnsw = None
    if graph is not None:
        hnsw = HnswIndex(m=graph.m, ef_construction=graph.ef_construction, ef_search=graph.ef_search)
    return CollectionMessage(name=collection.name, count=collection.size, dimensions=collection.dimensions, hnsw=hnsw)


def _graph_options(hnsw: HnswIndex | None) -> GraphOptions | None:
    if hnsw is None:
        return None
    return GraphOptions(
        m=parameter("hnsw.m", hnsw.m, 16, 2, 128),
        ef_construction=parameter("hnsw.ef_construction", hnsw.ef_construction, 200, 1, _MAX_EF),
        ef_search=parameter("hnsw.ef_search", hnsw.ef_search, 50, 1, _MAX_EF),
    )
