/** A collection: entries by their keys, their vectors, and an index where it was asked for. */

import { Best, type Scored } from "./best.js";
import { checkDimensions } from "./checks.js";
import { direction } from "./direction.js";
import type { Accepted, Stored } from "./entry.js";
import { Graph, type GraphOptions } from "./graph.js";
import type { Filter } from "./metadata.js";
import { compareText } from "./order.js";
import { Rows } from "./rows.js";
import { cosine, dot, square } from "./score.js";

/** What is searched for. */
export interface Query {
  readonly vector: Float32Array;
  readonly count: number;
  readonly threshold: number | undefined;
  readonly filter: Filter | undefined;
  readonly exact: boolean;
  /** 0: as the index says. */
  readonly efSearch: number;
}

/** What a collection is made with. */
export interface CollectionOptions {
  /** 0: as many as the first vector has. */
  readonly dimensions: number;
  /** Absent: no index. */
  readonly graph?: GraphOptions | undefined;
}

/** Entries by their keys. */
export class Collection {
  readonly name: string;
  readonly options: CollectionOptions;
  #entries = new Map<string, Stored>();
  #dimensions: number;
  /** The vectors, without gaps; there are none before the dimensions are known. */
  #rows: Rows;
  #squares: number[] = [];
  #owners: Stored[] = [];
  #graph: Graph | undefined;
  /** Those with vectors of zeros, which are in no graph. */
  #zeros = new Set<Stored>();

  constructor(name: string, options: CollectionOptions = { dimensions: 0 }) {
    this.name = name;
    this.options = options;
    this.#dimensions = options.dimensions;
    this.#rows = new Rows(this.#dimensions);
  }

  /** How many entries there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many dimensions its vectors have; 0: not known yet. */
  get dimensions(): number {
    return this.#dimensions;
  }

  /** Refuses entries whose vectors do not fit. */
  check(entries: readonly { readonly place: string; readonly entry: Accepted }[]): void {
    let dimensions = this.#dimensions;
    for (const { place, entry } of entries) {
      if (entry.vector.length === 0) continue;
      checkDimensions(`${place}.vector`, entry.vector.length, dimensions, this.name);
      dimensions = entry.vector.length;
    }
  }

  /** Returns the entry with a key. */
  get(key: string): Stored | undefined {
    return this.#entries.get(key);
  }

  /** Returns the vector of an entry. */
  vectorOf({ row }: Stored): Float32Array | undefined {
    return row < 0 ? undefined : this.#rows.get(row);
  }

  /** Stores an entry that was checked; returns whether it took the place of another. */
  set({ key, value, metadata, vector }: Accepted): boolean {
    const replaced = this.delete(key);
    const stored: Stored = { key, value, metadata, row: -1, node: -1 };
    this.#entries.set(key, stored);
    if (vector.length > 0) this.#addVector(stored, vector);
    return replaced;
  }

  /** Removes an entry; returns whether it was there. */
  delete(key: string): boolean {
    const stored = this.#entries.get(key);
    if (stored === undefined) return false;
    this.#entries.delete(key);
    if (stored.row >= 0) this.#removeVector(stored);
    return true;
  }

  /** Removes all entries; returns how many there were. */
  clear(): number {
    const removed = this.size;
    this.#entries = new Map();
    this.#dimensions = this.options.dimensions;
    this.#rows = new Rows(this.#dimensions);
    this.#squares = [];
    this.#owners = [];
    this.#graph = undefined;
    this.#zeros = new Set();
    return removed;
  }

  /** Returns the entries that a filter lets through, in no order. */
  *matching(filter: Filter | undefined): Iterable<Stored> {
    for (const stored of this.#entries.values()) {
      if (filter === undefined || filter(stored.metadata)) yield stored;
    }
  }

  /** Returns entries in order of their keys. */
  list(filter: Filter | undefined, after: string, limit: number): Stored[] {
    const found = [...this.matching(filter)].filter(({ key }) => compareText(key, after) > 0);
    found.sort((a, b) => compareText(a.key, b.key));
    return limit === 0 ? found : found.slice(0, limit);
  }

  /** Returns the entries whose vectors are nearest to one that fits. */
  search(query: Query): Scored[] {
    const squared = square(query.vector);
    const best = new Best(query.count, query.threshold);
    const offer = (stored: Stored) => {
      const product = dot(this.#rows.floats, stored.row * this.#dimensions, query.vector);
      best.offer(cosine(product, this.#squares[stored.row] as number, squared), stored);
    };
    if (query.filter === undefined) {
      for (const stored of this.#candidates(query, squared)) offer(stored);
    } else {
      for (const stored of this.matching(query.filter)) if (stored.row >= 0) offer(stored);
    }
    return best.ranked();
  }

  /** Returns what is to be looked at: what the graph finds, or all where it would not do. */
  #candidates({ vector, count, exact, efSearch }: Query, squared: number): readonly Stored[] {
    if (this.#graph === undefined || exact || squared === 0) return this.#owners;
    const ef = efSearch > 0 ? Math.max(efSearch, count) : this.#graph.candidates(count);
    if (ef === undefined || ef >= this.#owners.length) return this.#owners;
    const found = [...this.#graph.search(direction(vector, Math.sqrt(squared)), ef), ...this.#zeros];
    return found.length < count ? this.#owners : found;
  }

  #addVector(stored: Stored, vector: Float32Array): void {
    if (this.#dimensions === 0) {
      this.#dimensions = vector.length;
      this.#rows = new Rows(vector.length);
    }
    const squared = square(vector);
    stored.row = this.#owners.push(stored) - 1;
    this.#rows.set(stored.row, vector);
    this.#squares.push(squared);
    if (this.options.graph === undefined) return;
    this.#graph ??= new Graph(this.options.graph, this.#dimensions);
    if (squared === 0) this.#zeros.add(stored);
    else stored.node = this.#graph.add(stored, direction(vector, Math.sqrt(squared)));
  }

  /** The last row comes to where the gap would be. */
  #removeVector(stored: Stored): void {
    const last = this.#owners.pop() as Stored;
    const squared = this.#squares.pop() as number;
    if (last !== stored) {
      this.#rows.set(stored.row, this.#rows.get(last.row));
      this.#squares[stored.row] = squared;
      this.#owners[stored.row] = last;
      last.row = stored.row;
    }
    if (stored.node >= 0) this.#graph?.remove(stored);
    this.#zeros.delete(stored);
  }
}
