/** Where the result of a call goes: `anyplug_result` of anyplug.h. */

import { Room, Struct } from "./memory.js";
import type { Address, Native } from "./native.js";

const field = { data: 0, length: 8, owner: 16, bytes: 24 } as const;
/** More than this in one piece is no length, in bytes. */
export const absurdBytes = 0x8000_0000;

/** The result of the last call. */
export class Result {
  /** Where results are written that have room there. */
  readonly room: Room;
  /** Where the struct is. */
  readonly address: Address;
  /** Bytes of the result. */
  length = 0;
  /** It lies in the plugin's memory, and is to be taken by `take`. */
  isElsewhere = false;
  readonly #native: Native;
  readonly #struct: Struct;
  readonly #roomBytes: number;
  /** What a call finds in the struct. */
  readonly #before: Uint32Array;

  constructor(native: Native, roomBytes: number) {
    this.room = new Room(native, roomBytes);
    this.#roomBytes = roomBytes;
    this.#native = native;
    this.#struct = new Struct(native, field.bytes);
    this.#struct.setPointer(field.data, this.room.address);
    this.#struct.setPointer(field.length, roomBytes);
    this.#before = this.#struct.words.slice();
    this.address = this.#struct.address;
  }

  /** To be called before each call. */
  reset(): void {
    const { words } = this.#struct;
    const before = this.#before;
    words[0] = before[0] as number;
    words[1] = before[1] as number;
    words[2] = before[2] as number;
    words[3] = before[3] as number;
    words[4] = 0;
    words[5] = 0;
  }

  /** Looks at what a call left behind that returned `state`. Returns what is wrong with it; undefined: nothing that can be seen. */
  read(state: number): string | undefined {
    const { words } = this.#struct;
    const before = this.#before;
    this.length = this.#struct.pointer(field.length);
    this.isElsewhere = words[4] !== 0 || words[5] !== 0;
    const isInRoom = !this.isElsewhere && words[0] === before[0] && words[1] === before[1];
    if (isInRoom && this.length <= this.#roomBytes && (state === 0 || state === 1)) return undefined;
    return state === 2 ? undefined : this.#fault(state, isInRoom);
  }

  /** Copies a result that lies elsewhere, and has its memory given back; of one that is longer than `most` nothing is copied. */
  take(most: number, release: (owner: Address, data: Address, length: number) => void): Uint8Array {
    const data = this.#struct.pointer(field.data);
    const taken = new Room(this.#native, this.length > most ? 0 : this.length);
    if (taken.bytes.length > 0 && data !== 0) this.#native.copy(taken.address, data, this.length);
    release(this.#struct.pointer(field.owner), data, this.length);
    return taken.bytes;
  }

  #fault(state: number, isInRoom: boolean): string | undefined {
    const { length } = this;
    if (state !== 0 && state !== 1) return `call returned ${state}, expected 0, 1 or 2`;
    if (length > absurdBytes) return `call returned a result of ${length} bytes`;
    if (this.isElsewhere) {
      const isNull = this.#struct.pointer(field.data) === 0 && length > 0;
      return isNull ? `call returned a result of ${length} bytes at null` : undefined;
    }
    if (!isInRoom) return "call returned a result outside the host's room, and no owner to give it back to";
    return `call wrote ${length} bytes into a room of ${this.room.bytes.length}`;
  }
}
