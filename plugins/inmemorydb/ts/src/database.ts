/** Collections by their names, behind InMemoryDbService. */

import type {
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
  HnswIndex,
  ListCollectionsResponse,
  ListRequest,
  SearchRequest,
  SetManyRequest,
  SetManyResponse,
  SetRequest,
  SetResponse,
} from "@anyplug/generated/inmemorydb/v1/inmemorydb.js";
import type { InMemoryDbHandler } from "@anyplug/generated/inmemorydb/v1/inmemorydb_anyplug.js";
import { AnyplugError, Code } from "@anyplug/sdk";
import { checkDimensions, checkName, floatsOf, parameter, refusal } from "./checks.js";
import { Collection } from "./collection.js";
import { accept, written } from "./entry.js";
import type { GraphOptions } from "./graph.js";
import { filterOf } from "./metadata.js";
import { compareText } from "./order.js";

const USUAL_TOP_K = 10;
const MAX_EF = 10_000;

/** An entry as it is sent back. */
type Written = ReturnType<typeof written>;

/** All that the plugin keeps. */
export class Database implements InMemoryDbHandler {
  readonly #collections = new Map<string, Collection>();

  createCollection({ collection, dimensions, hnsw }: CreateCollectionRequest): CreateCollectionResponse {
    checkName("collection", collection);
    checkDimensions("dimensions", dimensions, 0, collection);
    const options = { dimensions, graph: graphOptions(hnsw) };
    if (this.#collections.has(collection)) {
      throw new AnyplugError(Code.AlreadyExists, `collection "${collection}" exists already`);
    }
    this.#collections.set(collection, new Collection(collection, options));
    return {};
  }

  dropCollection({ collection }: DropCollectionRequest): DropCollectionResponse {
    return { dropped: this.#collections.delete(collection) };
  }

  listCollections(): ListCollectionsResponse {
    const all = [...this.#collections.values()].sort((a, b) => compareText(a.name, b.name));
    const collections = all.map(({ name, size, dimensions, options }) => {
      const hnsw = options.graph === undefined ? undefined : { ...options.graph };
      return { name, count: size, dimensions, hnsw };
    });
    return { collections };
  }

  get({ collection, key }: GetRequest): { entry: Written | undefined } {
    const found = this.#read(collection);
    const stored = found.get(key);
    return { entry: stored && written(stored, found.vectorOf(stored)) };
  }

  set({ collection, entry }: SetRequest): SetResponse {
    const { replaced } = this.#store(collection, [{ place: "entry", entry }]);
    return { replaced: replaced > 0 };
  }

  async setMany(requests: AsyncIterable<SetManyRequest>): Promise<SetManyResponse> {
    const counts = { created: 0, replaced: 0 };
    let name = "";
    for await (const { collection, entries } of requests) {
      name = collection || name;
      const { created, replaced } = this.#store(
        name,
        entries.map((entry, at) => ({ place: `entries[${at}]`, entry })),
      );
      counts.created += created;
      counts.replaced += replaced;
    }
    return counts;
  }

  delete({ collection, key }: DeleteRequest): DeleteResponse {
    return { deleted: this.#read(collection).delete(key) };
  }

  *list({ collection, filter, after, limit, includeVectors }: ListRequest): Iterable<{ entry: Written }> {
    const found = this.#read(collection);
    const entries = found.list(filterOf(filter), after, limit);
    const vectors = includeVectors ? entries.map((stored) => found.vectorOf(stored)?.slice()) : [];
    for (const [at, stored] of entries.entries()) yield { entry: written(stored, vectors[at]) };
  }

  count({ collection, filter }: CountRequest): CountResponse {
    const found = this.#read(collection);
    const test = filterOf(filter);
    if (test === undefined) return { count: found.size };
    let count = 0;
    for (const _ of found.matching(test)) count++;
    return { count };
  }

  clear({ collection }: ClearRequest): ClearResponse {
    return { removed: this.#read(collection).clear() };
  }

  search(request: SearchRequest): { matches: { entry: Written; score: number }[] } {
    checkName("collection", request.collection);
    const found = this.#read(request.collection);
    const vector = floatsOf("vector", request.vector);
    if (vector.length === 0 && found.dimensions === 0) throw refusal("vector: expected numbers, got nothing");
    checkDimensions("vector", vector.length, found.dimensions, found.name);
    if (request.threshold !== undefined && !Number.isFinite(request.threshold)) {
      throw refusal("threshold: expected a finite number");
    }
    const efSearch = parameter("ef_search", request.efSearch, 0, 0, MAX_EF);
    const matches = found.search({
      vector,
      count: request.topK || USUAL_TOP_K,
      threshold: request.threshold,
      filter: filterOf(request.filter),
      exact: request.exact,
      efSearch,
    });
    const vectorOf = (stored: (typeof matches)[number]["stored"]) =>
      request.includeVectors ? found.vectorOf(stored) : undefined;
    return { matches: matches.map(({ score, stored }) => ({ entry: written(stored, vectorOf(stored)), score })) };
  }

  /** Returns a collection, or an empty one in its place. */
  #read(name: string): Collection {
    return this.#collections.get(name) ?? new Collection(name);
  }

  /** Stores all of them, or refuses all. */
  #store(name: string, entries: readonly { place: string; entry: Entry | undefined }[]): SetManyResponse {
    checkName("collection", name);
    const accepted = entries.map(({ place, entry }) => ({ place, entry: accept(place, entry) }));
    const collection = this.#read(name);
    collection.check(accepted);
    if (accepted.length > 0) this.#collections.set(name, collection);
    let replaced = 0;
    for (const { entry } of accepted) if (collection.set(entry)) replaced++;
    return { created: accepted.length - replaced, replaced };
  }
}

function graphOptions(hnsw: HnswIndex | undefined): GraphOptions | undefined {
  if (hnsw === undefined) return undefined;
  return {
    m: parameter("hnsw.m", hnsw.m, 16, 2, 128),
    efConstruction: parameter("hnsw.ef_construction", hnsw.efConstruction, 200, 1, MAX_EF),
    efSearch: parameter("hnsw.ef_search", hnsw.efSearch, 50, 1, MAX_EF),
  };
}
