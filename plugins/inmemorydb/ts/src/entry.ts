/** Entries, as they are sent and as they are kept. */

import type { Entry } from "@anyplug/generated/inmemorydb/v1/inmemorydb.js";
import { checkName, floatsOf, refusal } from "./checks.js";
import { type Metadata, readMetadata, writeMetadata } from "./metadata.js";

/** An entry that may be stored. Nothing in it is shared with the message that it came in. */
export interface Accepted {
  readonly key: string;
  readonly value: Uint8Array;
  readonly metadata: Metadata;
  /** Empty: none. */
  readonly vector: Float32Array;
}

/** An entry that is kept. */
export interface Stored {
  readonly key: string;
  readonly value: Uint8Array;
  readonly metadata: Metadata;
  /** The row of its vector, or -1. */
  row: number;
  /** The node of its direction in the index, or -1. */
  node: number;
}

/** Returns an entry as it can be stored; refuses what is wrong in it by its place. */
export function accept(place: string, entry: Entry | undefined): Accepted {
  if (entry === undefined) throw refusal(`${place}: expected an entry, got nothing`);
  checkName(`${place}.key`, entry.key);
  const vector = floatsOf(`${place}.vector`, entry.vector);
  const metadata = readMetadata(`${place}.metadata`, entry.metadata);
  return { key: entry.key, value: entry.value.slice(), metadata, vector };
}

/** Returns an entry as a message has it, with a vector where one is given. */
export function written(stored: Stored, vector?: Float32Array): Omit<Entry, "_unknownFields"> {
  return {
    key: stored.key,
    value: stored.value.slice(),
    vector: vector === undefined ? [] : [...vector],
    metadata: writeMetadata(stored.metadata),
  };
}
