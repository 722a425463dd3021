/**
 * A greeter in AssemblyScript, against docs/embedded-abi.md and docs/protocol.md alone: nothing of anyplug is in here. It answers Greet, the one method with one request and one answer.
 */

import { send } from "./anyplug";
import { bytesOf, Writer } from "./bytes";
import { textField } from "./message";

// --- the protocol ---------------------------------------------------------------------------------

const HELLO: u32 = 1;
const REQUEST: u32 = 2;
const MESSAGE: u32 = 3;
const END: u32 = 4;
const PING: u32 = 7;
const PONG: u32 = 8;

const FLAG_END: u32 = 1;
const FLAG_HEADER: u32 = 2;

const HEADER_BYTES: u32 = 12;
const MAGIC_BYTES: u32 = 8;
const MAX_FRAME_BYTES: u32 = 4_259_840;

/** The index of GreeterService/Greet: the first is that of the reflection service. */
const GREET: u32 = 1;
const METHODS: u32 = 3;
const UNIMPLEMENTED: u32 = 12;

/** What came and was not read yet. */
const heard = new Writer();
const output = new Writer();
let isMagicRead = false;

/** Reads frames as long as there are whole ones. */
function read(): void {
  let at: u32 = 0;
  if (!isMagicRead) {
    if (heard.length < MAGIC_BYTES) return;
    isMagicRead = true;
    at = MAGIC_BYTES;
  }
  while (heard.length - at >= HEADER_BYTES) {
    const length = heard.word(at);
    assert(length <= MAX_FRAME_BYTES);
    if (heard.length - at - HEADER_BYTES < length) break;
    frame(at, at + HEADER_BYTES, length);
    at += HEADER_BYTES + length;
  }
  heard.drop(at);
}

function frame(at: u32, payload: u32, length: u32): void {
  const kind: u32 = heard.byte(at + 4);
  const flags: u32 = heard.byte(at + 5);
  const call = heard.word(at + 8);
  if (kind === HELLO) return sayHello();
  if (kind === PING) return write(PONG, 0, 0, heard.pointer(payload), length);
  if (kind !== REQUEST) return;
  const method = heard.word(at + 4) >>> 16;
  // A caller may send its one request by itself; then it is refused, as streams are.
  const isWhole = (flags & FLAG_END) !== 0;
  const isDone = answer(isWhole ? method : METHODS, flags, heard.pointer(payload), length);
  write(isDone ? MESSAGE : END, isDone ? FLAG_END : 0, call, result.start, result.length);
}

function write(kind: u32, flags: u32, call: u32, ptr: usize, length: u32): void {
  output.clear();
  output.putWord(length);
  output.putWord(kind | (flags << 8));
  output.putWord(call);
  output.put(ptr, length);
  send(output.start, output.length);
}

/** The magic, and a Hello: versions 1 to 1, name and version, and the services with their methods. */
function sayHello(): void {
  const reflection = new Writer();
  reflection.putText(1, "anyplug.reflection.v1.ReflectionService");
  reflection.putText(3, "GetDescriptors");
  const greeter = new Writer();
  greeter.putText(1, "greeter.v1.GreeterService");
  // As protoc-gen-anyplug computed it: hosts take it for their own schema.
  greeter.putText(2, "b9d74acf0b4759660efa73b00f69ff4c");
  greeter.putText(3, "Greet");
  greeter.putText(3, "GreetAll");
  const hello = new Writer();
  hello.putNumber(1, 1);
  hello.putNumber(2, 1);
  hello.putText(3, "greeter");
  hello.putText(4, "1.0.0");
  hello.putText(5, "assemblyscript");
  hello.putField(7, reflection.start, reflection.length);
  hello.putField(7, greeter.start, greeter.length);
  const magic = bytesOf("anyplug\n");
  send(changetype<usize>(magic), MAGIC_BYTES);
  write(HELLO, 0, 0, hello.start, hello.length);
}

// --- the service ----------------------------------------------------------------------------------

/** The message or the status that the last call was answered with. */
const result = new Writer();
const text = new Writer();

/** Answers a call: whether the result is a message; if not, it is a status. */
function answer(method: u32, flags: u32, ptr: usize, length: u32): bool {
  result.clear();
  if (method !== GREET) {
    result.putNumber(1, UNIMPLEMENTED);
    result.putText(2, "this greeter has Greet alone");
    return false;
  }
  // A call header is not looked at: what takes no time has no deadline.
  const skipped: u32 = (flags & FLAG_HEADER) !== 0 ? 4 + load<u32>(ptr) : u32(0);
  assert(skipped <= length);
  const name = textField(1, ptr + skipped, length - skipped);
  text.clear();
  text.putString("Hello, ");
  text.put(name.ptr, name.length);
  text.putString("!");
  result.putField(1, text.start, text.length);
  return true;
}

// --- the embedded ABI -----------------------------------------------------------------------------

const SCRATCH_BYTES: u32 = 65_536;
const area: usize = heap.alloc(24);
const NEVER: u32 = 0xffff_ffff;

export function anyplug_abi(): usize {
  store<u32>(area, 1);
  store<u32>(area, u32(heap.alloc(SCRATCH_BYTES)), 4);
  store<u32>(area, SCRATCH_BYTES, 8);
  store<u32>(area, NEVER, 20);
  return area;
}

export function anyplug_alloc(length: u32): usize {
  return heap.alloc(max(length, 1));
}

export function anyplug_free(ptr: usize, _length: u32): void {
  heap.free(ptr);
}

export function anyplug_recv(ptr: usize, length: u32): void {
  heard.put(ptr, length);
  read();
}

export function anyplug_call(_call: u32, method: u32, ptr: usize, length: u32): i32 {
  const isDone = answer(method & 0xffff, method >>> 16, ptr, length);
  store<u32>(area, u32(result.start), 12);
  store<u32>(area, result.length, 16);
  return isDone ? 0 : 1;
}
