/** Where an agent keeps what it remembers. */

import { randomUUID } from "node:crypto";
import { AnyplugError, Code } from "@anyplug/core";
import type { Memories, MemoryQuery, MemorySearch } from "./agent.js";
import type { Memory } from "./values.js";

const defaultTable = "messages";

interface Kept {
  readonly table: string;
  readonly memory: Memory;
}

/** Memories in this process: they are gone with it. A search looks at each. */
export class InMemoryMemories implements Memories {
  /** In the order in which they were kept. */
  readonly #kept = new Map<string, Kept>();

  async create(memory: Memory, table = ""): Promise<string> {
    const id = memory.id ?? randomUUID();
    if (this.#kept.has(id)) throw new AnyplugError(Code.AlreadyExists, `there is a memory of id ${id}; update it`);
    const createdAt = memory.createdAt ?? Date.now();
    this.#kept.set(id, { table: table || defaultTable, memory: { ...memory, id, createdAt } });
    return id;
  }

  async get(id: string): Promise<Memory> {
    return this.#find(id).memory;
  }

  async list({ table, roomId, entityId, count, start, end }: MemoryQuery = {}): Promise<Memory[]> {
    const found = this.#of(table, roomId).filter(
      ({ entityId: by, createdAt = 0 }) =>
        (!entityId || by === entityId) &&
        (start === undefined || createdAt >= start) &&
        (end === undefined || createdAt <= end),
    );
    // Of those of the same time the one that was kept last is the newest.
    return found
      .reverse()
      .sort(newestFirst)
      .slice(0, count || 100);
  }

  async search({ embedding, table, roomId, count, threshold = -1 }: MemorySearch): Promise<Memory[]> {
    return this.#of(table, roomId)
      .filter((memory) => memory.embedding?.length === embedding.length)
      .map((memory): Memory & { similarity: number } => ({
        ...memory,
        similarity: cosine(embedding, memory.embedding ?? []),
      }))
      .filter(({ similarity }) => similarity >= threshold)
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, count || 10);
  }

  async update(memory: Memory): Promise<void> {
    const { table } = this.#find(memory.id ?? "");
    this.#kept.set(memory.id ?? "", { table, memory });
  }

  async delete(id: string): Promise<void> {
    this.#kept.delete(id);
  }

  #of(table: string | undefined, roomId: string | undefined): Memory[] {
    const kept = [...this.#kept.values()].filter((one) => one.table === (table || defaultTable));
    return kept.map(({ memory }) => memory).filter((memory) => !roomId || memory.roomId === roomId);
  }

  #find(id: string): Kept {
    const found = this.#kept.get(id);
    if (found === undefined) throw new AnyplugError(Code.NotFound, `there is no memory of id ${JSON.stringify(id)}`);
    return found;
  }
}

function newestFirst(a: Memory, b: Memory): number {
  return (b.createdAt ?? 0) - (a.createdAt ?? 0);
}

/** From -1 to 1; 0 when one of the two has no length. */
function cosine(a: readonly number[], b: readonly number[]): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (const [index, x] of a.entries()) {
    const y = b[index] ?? 0;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  const lengths = Math.sqrt(aa) * Math.sqrt(bb);
  return lengths === 0 ? 0 : dot / lengths;
}
