/** The index: hierarchical navigable small worlds, by the rules of `HnswIndex` in the schema. */

import { same } from "./direction.js";
import type { Stored } from "./entry.js";
import { Levels } from "./level.js";
import { Rows } from "./rows.js";
import { dot } from "./score.js";
import { enough, FEWEST_NODES, type Tried } from "./trial.js";

/** The parameters of an index. */
export interface GraphOptions {
  readonly m: number;
  readonly efConstruction: number;
  readonly efSearch: number;
}

interface Node {
  /** The entries with this direction. */
  readonly members: Set<Stored>;
  /** Its neighbours, by level. */
  readonly links: number[][];
  /** The nodes that have it as a neighbour, by level. */
  readonly referrers: Set<number>[];
}

interface Near {
  readonly nearness: number;
  readonly node: number;
}

const MET = 1;
const EXPANDED = 2;

/** The nearest first; of equally near nodes the lower number. */
const byNearness = (a: Near, b: Near) => b.nearness - a.nearness || a.node - b.node;

/** Nodes in levels; each node has the directions that it is near to as its neighbours. */
export class Graph implements Tried {
  readonly options: GraphOptions;
  readonly #directions: Rows;
  readonly #levels: Levels;
  readonly #nodes: (Node | undefined)[] = [];
  readonly #free: number[] = [];
  /** A node of the highest level. */
  #entry: number | undefined;
  /** How many candidates are enough; undefined if no number is. */
  #enough: number | undefined;
  #nextTrial = FEWEST_NODES;

  constructor(options: GraphOptions, dimensions: number) {
    this.options = options;
    this.#directions = new Rows(dimensions);
    this.#levels = new Levels(options.m);
    this.#enough = options.efSearch;
  }

  /** Returns how many candidates a search for `count` entries is to keep; undefined if the index is not to be used. */
  candidates(count: number): number | undefined {
    if (this.#size < FEWEST_NODES || this.#enough === undefined) return undefined;
    return Math.max(this.#enough, 2 * count);
  }

  /** Adds an entry with a direction; returns its node. */
  add(stored: Stored, direction: Float32Array): number {
    const level = this.#levels.next();
    if (this.#entry === undefined) {
      this.#entry = this.#create(stored, direction, level);
      return this.#entry;
    }
    const neighbours: number[][] = [];
    const top = this.#topOf(this.#entry);
    let nearest = this.#entry;
    for (let at = top; at >= 0; at--) {
      const found = this.#searchLevel(direction, nearest, at > level ? 1 : this.options.efConstruction, at);
      nearest = found[0]?.node ?? nearest;
      if (same(this.#directions.get(nearest), direction)) {
        this.#node(nearest).members.add(stored);
        return nearest;
      }
      if (at <= level) neighbours[at] = this.#choose(found, this.options.m);
    }
    const node = this.#create(stored, direction, level);
    for (let at = Math.min(top, level); at >= 0; at--) this.#connect(node, at, neighbours[at] ?? []);
    if (level > top) this.#entry = node;
    if (this.#size >= this.#nextTrial && this.#enough !== undefined) {
      this.#nextTrial = this.#size + Math.floor(this.#size / 4);
      this.#enough = enough(
        this,
        this.#live().filter((one) => one !== this.#entry),
        this.#enough,
      );
    }
    return node;
  }

  /** Removes an entry from its node, and the node where that was its last. */
  remove(stored: Stored): void {
    const gone = stored.node;
    const { members, links, referrers } = this.#node(gone);
    members.delete(stored);
    if (members.size > 0) return;
    for (const [at, neighbours] of links.entries()) {
      for (const neighbour of neighbours) this.#referrers(neighbour, at).delete(gone);
      for (const referrer of [...(referrers[at] ?? [])].sort((a, b) => a - b)) {
        const candidates = new Set([...this.#links(referrer, at), ...neighbours]);
        candidates.delete(gone);
        candidates.delete(referrer);
        this.#chooseAnew(referrer, at, [...candidates]);
      }
    }
    this.#nodes[gone] = undefined;
    this.#free.push(gone);
    if (this.#entry === gone) this.#entry = this.#highest();
  }

  /** Returns the entries of the nodes that are nearest to a direction: of `ef` nodes, or fewer. */
  search(direction: Float32Array, ef: number): Stored[] {
    return this.#search(direction, ef).flatMap(({ node }) => [...this.#node(node).members]);
  }

  nearest(node: number, count: number): number[] {
    const direction = this.#directions.get(node).slice();
    const near: Near[] = [];
    for (const other of this.#live()) {
      if (other === node) continue;
      const one = { nearness: this.#nearness(direction, other), node: other };
      if (near.length === count && byNearness(one, near[count - 1] as Near) > 0) continue;
      near.splice(placeOf(near, one), 0, one);
      if (near.length > count) near.pop();
    }
    return near.map((one) => one.node);
  }

  found(node: number, count: number, candidates: number): number[] {
    const found = this.#search(this.#directions.get(node), candidates, node);
    return found.slice(0, count).map((near) => near.node);
  }

  /** Returns the nearest nodes but one, in order. */
  #search(direction: Float32Array, ef: number, without?: number): Near[] {
    if (this.#entry === undefined) return [];
    let nearest = this.#entry;
    for (let at = this.#topOf(nearest); at > 0; at--) {
      nearest = this.#searchLevel(direction, nearest, 1, at, without)[0]?.node ?? nearest;
    }
    return this.#searchLevel(direction, nearest, ef, 0, without);
  }

  /** Returns the nearest nodes of a level that are found from one of them: `ef` or fewer, in order. */
  #searchLevel(direction: Float32Array, from: number, ef: number, level: number, without?: number): Near[] {
    const seen = new Uint8Array(this.#nodes.length);
    if (without !== undefined) seen[without] = EXPANDED;
    const found: Near[] = [{ nearness: this.#nearness(direction, from), node: from }];
    seen[from] = MET;
    for (let at = 0; at < found.length; ) {
      const { node } = found[at] as Near;
      if (seen[node] === EXPANDED) {
        at++;
        continue;
      }
      seen[node] = EXPANDED;
      for (const neighbour of this.#links(node, level)) {
        if (seen[neighbour]) continue;
        seen[neighbour] = MET;
        const near = { nearness: this.#nearness(direction, neighbour), node: neighbour };
        if (found.length >= ef && byNearness(near, found[ef - 1] as Near) > 0) continue;
        const place = placeOf(found, near);
        found.splice(place, 0, near);
        if (found.length > ef) found.pop();
        at = Math.min(at, place);
      }
    }
    return found;
  }

  /** Returns those of the candidates, which are in order, that are not nearer to one that is returned already; at most `most`. */
  #choose(candidates: readonly Near[], most: number): number[] {
    const chosen: number[] = [];
    for (const { nearness, node } of candidates) {
      if (chosen.length === most) break;
      const direction = this.#directions.get(node);
      if (chosen.every((one) => this.#nearness(direction, one) <= nearness)) chosen.push(node);
    }
    return chosen;
  }

  #chooseAnew(node: number, level: number, candidates: readonly number[]): void {
    const direction = this.#directions.get(node);
    const near = candidates.map((candidate) => ({ nearness: this.#nearness(direction, candidate), node: candidate }));
    const chosen = this.#choose(near.sort(byNearness), this.#most(level));
    for (const old of this.#links(node, level)) this.#referrers(old, level).delete(node);
    for (const fresh of chosen) this.#referrers(fresh, level).add(node);
    this.#node(node).links[level] = chosen;
  }

  /** Makes nodes the neighbours of a new one, and the new one theirs. */
  #connect(node: number, level: number, neighbours: number[]): void {
    this.#node(node).links[level] = neighbours;
    for (const neighbour of neighbours) {
      this.#referrers(neighbour, level).add(node);
      const links = this.#links(neighbour, level);
      links.push(node);
      this.#referrers(node, level).add(neighbour);
      if (links.length > this.#most(level)) this.#chooseAnew(neighbour, level, links);
    }
  }

  #create(stored: Stored, direction: Float32Array, level: number): number {
    const node = this.#free.pop() ?? this.#nodes.length;
    this.#directions.set(node, direction);
    const levels = Array.from({ length: level + 1 });
    this.#nodes[node] = {
      members: new Set([stored]),
      links: levels.map(() => []),
      referrers: levels.map(() => new Set()),
    };
    return node;
  }

  /** Returns the lowest of the nodes on the highest level. */
  #highest(): number | undefined {
    let highest: number | undefined;
    for (const [node, { links } = { links: [] }] of this.#nodes.entries()) {
      if (links.length > (highest === undefined ? 0 : this.#topOf(highest) + 1)) highest = node;
    }
    return highest;
  }

  get #size(): number {
    return this.#nodes.length - this.#free.length;
  }

  #live(): number[] {
    return [...this.#nodes.keys()].filter((node) => this.#nodes[node] !== undefined);
  }

  #most(level: number): number {
    return level === 0 ? 2 * this.options.m : this.options.m;
  }

  #nearness(direction: Float32Array, node: number): number {
    return dot(this.#directions.floats, node * this.#directions.dimensions, direction);
  }

  #topOf(node: number): number {
    return this.#node(node).links.length - 1;
  }

  #links(node: number, level: number): number[] {
    return this.#node(node).links[level] ?? [];
  }

  #referrers(node: number, level: number): Set<number> {
    return this.#node(node).referrers[level] ?? new Set();
  }

  #node(node: number): Node {
    return this.#nodes[node] as Node;
  }
}

function placeOf(found: readonly Near[], near: Near): number {
  let [low, high] = [0, found.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byNearness(found[middle] as Near, near) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
