//! Collections by their names, behind InMemoryDbService.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use anyplug_generated::inmemorydb::v1::{
    ClearRequest, ClearResponse, Collection as CollectionMessage, CountRequest, CountResponse, CreateCollectionRequest,
    CreateCollectionResponse, DeleteRequest, DeleteResponse, DropCollectionRequest, DropCollectionResponse, Entry,
    GetRequest, GetResponse, HnswIndex, InMemoryDbHandler, ListCollectionsRequest, ListCollectionsResponse,
    ListRequest, ListResponse, Match, SearchRequest, SearchResponse, SetManyRequest, SetManyResponse, SetRequest,
    SetResponse,
};
use anyplug_sdk::{Context, Error, Result, Sender, Streaming};

use crate::checks;
use crate::collection::{Collection, CollectionOptions, Query, check};
use crate::entry::{accept, written};
use crate::graph::GraphOptions;
use crate::metadata::Filter;

const USUAL_TOP_K: usize = 10;
const MAX_EF: u32 = 10_000;

type Collections = BTreeMap<String, Collection>;

/// All that the plugin keeps.
#[derive(Default)]
pub struct Database {
    collections: RwLock<Collections>,
}

impl Database {
    fn read(&self) -> RwLockReadGuard<'_, Collections> {
        self.collections.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Collections> {
        self.collections.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores all of them, or refuses all.
    fn store(&self, name: &str, entries: Vec<(String, Option<Entry>)>) -> Result<SetManyResponse> {
        checks::name("collection", name)?;
        let accepted = |(place, entry): (String, _)| accept(&place, entry).map(|entry| (place, entry));
        let entries = entries.into_iter().map(accepted).collect::<Result<Vec<_>>>()?;
        let mut collections = self.write();
        check(&entries, collections.get(name).map_or(0, Collection::dimensions), name)?;
        let (mut created, mut replaced) = (0, 0);
        for (_, entry) in entries {
            let collection =
                collections.entry(name.to_owned()).or_insert_with(|| Collection::new(CollectionOptions::default()));
            *(if collection.set(entry) { &mut replaced } else { &mut created }) += 1;
        }
        Ok(SetManyResponse { created, replaced })
    }

    fn list_now(&self, request: ListRequest) -> Result<Vec<Entry>> {
        let filter = Filter::new(request.filter)?;
        let collections = self.read();
        let Some(collection) = collections.get(&request.collection) else { return Ok(Vec::new()) };
        let limit = if request.limit == 0 { usize::MAX } else { number(request.limit) };
        let stored = collection.matching(filter.as_ref(), &request.after).take(limit);
        let vector = |stored| request.include_vectors.then(|| collection.vector_of(stored)).flatten();
        Ok(stored.map(|stored| written(stored, vector(stored))).collect())
    }

    fn search_now(&self, request: SearchRequest) -> Result<SearchResponse> {
        checks::name("collection", &request.collection)?;
        checks::floats("vector", &request.vector)?;
        let collections = self.read();
        let collection = collections.get(&request.collection);
        let dimensions = collection.map_or(0, Collection::dimensions);
        if request.vector.is_empty() && dimensions == 0 {
            return Err(Error::invalid_argument("vector: expected numbers, got nothing"));
        }
        checks::dimensions("vector", request.vector.len(), dimensions, &request.collection)?;
        if request.threshold.is_some_and(|threshold| !threshold.is_finite()) {
            return Err(Error::invalid_argument("threshold: expected a finite number"));
        }
        let ef_search = number(checks::parameter("ef_search", request.ef_search, 0, 0, MAX_EF)?);
        let query = Query {
            vector: request.vector,
            count: if request.top_k == 0 { USUAL_TOP_K } else { number(request.top_k) },
            threshold: request.threshold,
            filter: Filter::new(request.filter)?,
            exact: request.exact,
            ef_search,
        };
        let Some(collection) = collection else { return Ok(SearchResponse::default()) };
        let matches = collection.search(&query).into_iter().map(|scored| {
            let entry = collection.get(&scored.key).map(|stored| {
                let vector = request.include_vectors.then(|| collection.vector_of(stored)).flatten();
                written(stored, vector)
            });
            Match { entry, score: scored.score }
        });
        Ok(SearchResponse { matches: matches.collect() })
    }
}

impl InMemoryDbHandler for Database {
    async fn create_collection(
        &self,
        request: CreateCollectionRequest,
        _: Context,
    ) -> Result<CreateCollectionResponse> {
        let CreateCollectionRequest { collection, dimensions, hnsw } = request;
        checks::name("collection", &collection)?;
        checks::dimensions("dimensions", number(dimensions), 0, &collection)?;
        let options = CollectionOptions {
            dimensions: number(dimensions),
            graph: hnsw.map(|hnsw| graph_options(&hnsw)).transpose()?,
        };
        let mut collections = self.write();
        if collections.contains_key(&collection) {
            return Err(Error::already_exists(format!("collection \"{collection}\" exists already")));
        }
        collections.insert(collection, Collection::new(options));
        Ok(CreateCollectionResponse {})
    }

    async fn drop_collection(&self, request: DropCollectionRequest, _: Context) -> Result<DropCollectionResponse> {
        Ok(DropCollectionResponse { dropped: self.write().remove(&request.collection).is_some() })
    }

    async fn list_collections(&self, _: ListCollectionsRequest, _: Context) -> Result<ListCollectionsResponse> {
        let described = |(name, collection): (&String, &Collection)| CollectionMessage {
            name: name.clone(),
            count: count_of(collection.size()),
            dimensions: count_of(collection.dimensions()),
            hnsw: collection.options.graph.map(|options| HnswIndex {
                m: count_of(options.m),
                ef_construction: count_of(options.ef_construction),
                ef_search: count_of(options.ef_search),
            }),
        };
        Ok(ListCollectionsResponse { collections: self.read().iter().map(described).collect() })
    }

    async fn get(&self, request: GetRequest, _: Context) -> Result<GetResponse> {
        let collections = self.read();
        let entry = collections.get(&request.collection).and_then(|collection| {
            let stored = collection.get(&request.key)?;
            Some(written(stored, collection.vector_of(stored)))
        });
        Ok(GetResponse { entry })
    }

    async fn set(&self, request: SetRequest, _: Context) -> Result<SetResponse> {
        let stored = self.store(&request.collection, vec![("entry".into(), request.entry)])?;
        Ok(SetResponse { replaced: stored.replaced > 0 })
    }

    async fn set_many(&self, mut requests: Streaming<SetManyRequest>, _: Context) -> Result<SetManyResponse> {
        let mut counts = SetManyResponse::default();
        let mut name = String::new();
        while let Some(SetManyRequest { collection, entries }) = requests.message().await? {
            if !collection.is_empty() {
                name = collection;
            }
            let entries = entries.into_iter().enumerate().map(|(at, entry)| (format!("entries[{at}]"), Some(entry)));
            let stored = self.store(&name, entries.collect())?;
            counts.created += stored.created;
            counts.replaced += stored.replaced;
        }
        Ok(counts)
    }

    async fn delete(&self, request: DeleteRequest, _: Context) -> Result<DeleteResponse> {
        let mut collections = self.write();
        let deleted = collections.get_mut(&request.collection).is_some_and(|found| found.delete(&request.key));
        Ok(DeleteResponse { deleted })
    }

    async fn list(&self, request: ListRequest, responses: Sender<ListResponse>, _: Context) -> Result<()> {
        for entry in self.list_now(request)? {
            responses.send(ListResponse { entry: Some(entry) }).await?;
        }
        Ok(())
    }

    async fn count(&self, request: CountRequest, _: Context) -> Result<CountResponse> {
        let filter = Filter::new(request.filter)?;
        let collections = self.read();
        let count = collections.get(&request.collection).map_or(0, |found| found.matching(filter.as_ref(), "").count());
        Ok(CountResponse { count: count_of(count) })
    }

    async fn clear(&self, request: ClearRequest, _: Context) -> Result<ClearResponse> {
        let removed = self.write().get_mut(&request.collection).map_or(0, Collection::clear);
        Ok(ClearResponse { removed: count_of(removed) })
    }

    async fn search(&self, request: SearchRequest, _: Context) -> Result<SearchResponse> {
        self.search_now(request)
    }
}

fn graph_options(hnsw: &HnswIndex) -> Result<GraphOptions> {
    Ok(GraphOptions {
        m: number(checks::parameter("hnsw.m", hnsw.m, 16, 2, 128)?),
        ef_construction: number(checks::parameter("hnsw.ef_construction", hnsw.ef_construction, 200, 1, MAX_EF)?),
        ef_search: number(checks::parameter("hnsw.ef_search", hnsw.ef_search, 50, 1, MAX_EF)?),
    })
}

fn number(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn count_of(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
