import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/**
 * What set-up remembers about the steps it ran: for each, a key made of its inputs and the size of every file or folder
 * that it left behind. A step is current if the key is the same and everything is still there as it was left.
 */
export function createMemory(folder) {
  const file = join(folder, "setup.json");

  return {
    /** Returns whether the step `name` ran with this `key` and what it left behind is intact. */
    isCurrent(name, key) {
      return read(file)[name]?.key === key && this.isIntact(name);
    },

    /** Returns whether the step `name` ran, whatever its key was, and what it left behind is intact. */
    isIntact(name) {
      const entry = read(file)[name];
      return entry !== undefined && Object.entries(entry.outputs ?? {}).every(([path, size]) => sizeOf(path) === size);
    },

    /** Remembers that the step `name` ran with this `key` and left `outputs` (paths) behind. */
    remember(name, key, outputs) {
      const sizes = Object.fromEntries(outputs.map((path) => [path, sizeOf(path)]));
      const text = JSON.stringify({ ...read(file), [name]: { key, outputs: sizes } }, undefined, 1);
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${file}.${process.pid}`, text);
      renameSync(`${file}.${process.pid}`, file);
    },
  };
}

/** Returns a short hash of the given texts and buffers, in their order. */
export function keyOf(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 32);
}

function read(file) {
  try {
    const value = JSON.parse(readFileSync(file, "utf8"));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {}; // nothing is remembered, or half a file: then every step runs again
  }
}

/** A file's size in bytes, 0 for a folder, -1 for what is not there. */
function sizeOf(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return -1;
  return stats.isDirectory() ? 0 : stats.size;
}
