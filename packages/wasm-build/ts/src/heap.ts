/** The heap of the engine's C library (dlmalloc), as far as its free parts are found. */

/** Bytes of a chunk before what its owner sees. */
const headerBytes = 8;
/** Bytes of a free chunk by which it is found again: in a list, and from this size on in a tree. */
const listBytes = 16;
const treeBytes = 32;
const smallestInTree = 256;
/** Bytes behind the last chunk. */
const footBytes = 56;

const isUsed = 2;
const flags = 7;

/**
 * Fills what is free with zeros: programs leave behind what they freed, and it would be part of the module.
 *
 * @param memory all of the memory
 * @param first what the first `malloc` of all returned
 * @throws Error when the heap is not as expected.
 */
export function clearFreeMemory(memory: Uint8Array, first: number): void {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  const end = memory.length - footBytes;
  let at = first - headerBytes;
  while (at < end) {
    const head = view.getUint32(at + 4, true);
    const size = head & ~flags;
    const next = at + size;
    if (size < listBytes || next > end) throw new Error(`the engine's heap cannot be read at ${at}`);
    if ((head & isUsed) === 0) {
      const kept = next === end ? headerBytes : size < smallestInTree ? listBytes : treeBytes;
      memory.fill(0, at + Math.min(kept, size), next);
    }
    at = next;
  }
}
