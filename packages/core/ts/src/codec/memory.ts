/** Memory for large messages. */

interface Allocator {
  allocUnsafeSlow(bytes: number): Uint8Array<ArrayBuffer>;
}

const { Buffer: allocator } = globalThis as { Buffer?: Allocator };
/** Below this an array of the language costs least, in bytes. */
const smallBytes = 16_384;

/**
 * Returns that many bytes of memory, of any content: the caller writes what it passes on. Where the platform can do so the memory is not cleared first, which for a large
 * message costs as much as copying it.
 */
export function unwritten(bytes: number): Uint8Array<ArrayBuffer> {
  if (allocator === undefined || bytes < smallBytes) return new Uint8Array(bytes);
  return new Uint8Array(allocator.allocUnsafeSlow(bytes).buffer);
}
