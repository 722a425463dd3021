/** Guests for tests, assembled from WAT: a host that they do not know is theirs to deceive. */

import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { Hello } from "@anyplug/protocol/anyplug/wire/v1/hello.js";
import wabt from "wabt";

/** What a guest does otherwise than one that echoes. */
export interface GuestParts {
  /** More imports, functions and globals. */
  readonly extra?: string;
  /** Instead of the exports of the ABI. */
  readonly exports?: string;
  /** The memory. */
  readonly memory?: string;
  /** The body of `anyplug_abi`. */
  readonly abi?: string;
  /** The fields of the exchange area at 16. */
  readonly exchange?: readonly number[];
  /** The body of `anyplug_alloc`, with `$size`. */
  readonly alloc?: string;
  /** What `anyplug_recv` does with `$p` and `$n` that is not of the start. */
  readonly recv?: string;
  /** The body of `anyplug_call`, with `$call`, `$method`, `$p` and `$n`. */
  readonly call?: string;
  /** The hello that is sent. */
  readonly hello?: Partial<Hello>;
  /** The custom sections; by default the one of a plugin. */
  readonly sections?: readonly Uint8Array[];
}

/** Where things are in the guest's memory. */
export const at = {
  exchange: 16,
  result: 28,
  resultBytes: 32,
  wake: 36,
  frame: 64,
  empty: 600,
  hello: 1024,
  scratch: 4096,
} as const;
const scratchBytes = 4096;
/** `wake`: not by itself. */
const never = 0xffff_ffff;

const echo = `(i32.store (i32.const ${at.result}) (local.get $p)) (i32.store (i32.const ${at.resultBytes}) (local.get $n)) (i32.const 0)`;

/** The hello of a guest that serves the service of the benchmarks. */
export function helloOf(parts: Partial<Hello> = {}): Hello {
  return Hello.fromPartial({
    protocol: 1,
    minProtocol: 1,
    name: "guest",
    version: "1.0.0",
    runtime: "wat",
    services: [
      { name: "anyplug.reflection.v1.ReflectionService", fingerprint: "", methods: ["GetDescriptors"] },
      { name: Bench.name, fingerprint: Bench.fingerprint, methods: Bench.methods.map(({ name }) => name) },
    ],
    ...parts,
  });
}

/** The contents of a section `anyplug`. */
export function sectionOf(hello: Hello = helloOf(), version = 1): Uint8Array {
  return Uint8Array.from([version, 0, 0, 0, ...Hello.encode(hello).finish()]);
}

/** Returns a module in bytes. */
export async function guest(parts: GuestParts = {}): Promise<Uint8Array> {
  const code = await assemble(textOf(parts));
  return withSections(code, parts.sections ?? [sectionOf()]);
}

/** Assembles WAT. */
export async function assemble(text: string): Promise<Uint8Array> {
  const module = (await wabt()).parseWat("guest.wat", text, {
    memory64: true,
    threads: true,
    exceptions: true,
  });
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

/** Appends custom sections named `anyplug`. */
export function withSections(module: Uint8Array, sections: readonly Uint8Array[], name = "anyplug"): Uint8Array {
  const parts: Uint8Array[] = [module];
  for (const section of sections) {
    const start = [name.length, ...new TextEncoder().encode(name)];
    parts.push(Uint8Array.of(0, ...leb(start.length + section.length), ...start), section);
  }
  return Uint8Array.from(Buffer.concat(parts));
}

function textOf({ extra = "", exports, memory = '(memory (export "memory") 4)', ...parts }: GuestParts): string {
  const payload = Hello.encode(helloOf(parts.hello)).finish();
  const spoken = [
    ...new TextEncoder().encode("anyplug\n"),
    ...word(payload.length),
    1,
    0,
    0,
    0,
    ...word(0),
    ...payload,
  ];
  const exchange = parts.exchange ?? [1, at.scratch, scratchBytes, 0, 0, never];
  return `(module
    (import "anyplug" "send" (func $send (param i32 i32)))
    ${extra}
    ${memory}
    (data (i32.const ${at.exchange}) "${escaped(exchange.flatMap(word))}")
    (data (i32.const ${at.empty}) "\\0a\\00")
    (data (i32.const ${at.hello}) "${escaped(spoken)}")
    (global $heap (mut i32) (i32.const 65536))
    (global $spoke (mut i32) (i32.const 0))
    ${exports ?? functions(parts, spoken.length)}
  )`;
}

function functions(parts: GuestParts, helloBytes: number): string {
  return `(func (export "anyplug_abi") (result i32) ${parts.abi ?? `(i32.const ${at.exchange})`})
    (func $alloc (export "anyplug_alloc") (param $size i32) (result i32) ${parts.alloc ?? allocate})
    (func (export "anyplug_free") (param i32 i32) (global.set $heap (i32.const 65536)))
    (func (export "anyplug_recv") (param $p i32) (param $n i32)
      (if (i32.eqz (global.get $spoke))
        (then
          (if (i32.gt_u (local.get $n) (i32.const 8))
            (then
              (global.set $spoke (i32.const 1))
              (call $send (i32.const ${at.hello}) (i32.const ${helloBytes}))))
          (return)))
      (if (i32.ge_u (local.get $n) (i32.const 12))
        (then
          (if (i32.eq (i32.load8_u offset=4 (local.get $p)) (i32.const 7))
            (then (i32.store8 offset=4 (local.get $p) (i32.const 8)) (call $send (local.get $p) (local.get $n)) (return)))))
      ${parts.recv ?? ""})
    (func (export "anyplug_call") (param $call i32) (param $method i32) (param $p i32) (param $n i32) (result i32)
      ${parts.call ?? echo})`;
}

/** What is needed of memory is there, or is made. */
const allocate = `(local $at i32) (local $pages i32)
  (local.set $at (global.get $heap))
  (global.set $heap (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))
  (local.set $pages (i32.sub (i32.add (i32.shr_u (global.get $heap) (i32.const 16)) (i32.const 1)) (memory.size)))
  (if (i32.gt_s (local.get $pages) (i32.const 0))
    (then (if (i32.lt_s (memory.grow (local.get $pages)) (i32.const 0)) (then (return (i32.const 0))))))
  (local.get $at)`;

function word(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

function escaped(bytes: readonly number[]): string {
  return bytes.map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

/** WAT that sends a frame: `call` and `size` are expressions, `payload` where it lies. */
export function frame(
  kind: number,
  flags: number,
  call: string,
  size = "(i32.const 0)",
  payload = "(i32.const 0)",
): string {
  return `(i32.store (i32.const ${at.frame}) ${size})
    (i32.store (i32.const ${at.frame + 4}) (i32.const ${kind | (flags << 8)}))
    (i32.store (i32.const ${at.frame + 8}) ${call})
    (call $send (i32.const ${at.frame}) (i32.const 12))
    (call $send ${payload} ${size})`;
}
