/** Folders that a module is granted: what it can do in them, and that it gets nowhere else. */

import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code } from "@anyplug/core";
import type { WasiHost } from "@anyplug/wasm";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { GuestMemory } from "../../../wasm/ts/src/memory.js";
import { assemble } from "../../../wasm/ts/test/guest.js";
import { loadExtismPlugin } from "../src/extism.js";
import { withFiles } from "../src/wasi/files.js";

let folder = "";
let data = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "anyplug-wasi-"));
  data = join(folder, "data");
  mkdirSync(join(data, "inner"), { recursive: true });
  writeFileSync(join(data, "poem.txt"), "a rose is a rose");
  writeFileSync(join(data, "inner", "deep.txt"), "deep");
  writeFileSync(join(folder, "secret.txt"), "secret");
  mkdirSync(join(folder, "data-too"));
});

afterEach(() => {
  for (const guest of guests.splice(0)) guest.close();
  rmSync(folder, { recursive: true });
});

const guests: Guest[] = [];
const root = 3;
const read = 1n << 1n;
const write = 1n << 6n;
const both = read | write;
const errors = {
  access: 2,
  badDescriptor: 8,
  exists: 20,
  invalid: 28,
  isDirectory: 31,
  loop: 32,
  noEntry: 44,
  notDirectory: 54,
  notEmpty: 55,
  notSupported: 58,
  readOnly: 69,
  notCapable: 76,
};
const oflags = { create: 1, directory: 2, exclusive: 4, truncate: 8 };

/** A guest's side: its memory, and the functions that it calls. */
class Guest {
  readonly memory = new WebAssembly.Memory({ initial: 1 });
  readonly call: Readonly<Record<string, (...values: (number | bigint)[]) => number | undefined>>;
  readonly close: () => void;
  readonly #view = new GuestMemory(this.memory);

  constructor(readOnly: boolean | undefined = undefined, hostPath = data) {
    const files = withFiles({ wasi: { directories: [{ hostPath, guestPath: "/data", readOnly }] } })?.wasiFiles;
    const host: WasiHost = {
      range: (what, pointer, size) => {
        if (this.#view.has(pointer, size)) return this.#view;
        throw new Error(`${what}: out of range`);
      },
      random: () => {},
      log: () => {},
      end: (reason) => reason,
      check: () => {},
    };
    const bound = files?.bind(host, { fd_write: () => 99 });
    if (bound === undefined) throw new Error("there are no files");
    this.call = bound.functions;
    this.close = bound.close;
    guests.push(this);
  }

  /** Puts a text at an address, and returns where it is and how long. */
  put(text: string, at = 1000): [number, number] {
    const bytes = new TextEncoder().encode(text);
    new Uint8Array(this.memory.buffer).set(bytes, at);
    return [at, bytes.length];
  }

  word(at: number): number {
    return new DataView(this.memory.buffer).getUint32(at, true);
  }

  long(at: number): bigint {
    return new DataView(this.memory.buffer).getBigUint64(at, true);
  }

  text(at: number, size: number): string {
    return new TextDecoder().decode(new Uint8Array(this.memory.buffer, at, size));
  }

  /** Opens a path. Returns the descriptor; an error as a number below 0. */
  open(path: string, flags = 0, rights = read, { from = root, follow = 1, fdflags = 0 } = {}): number {
    const error = this.call["path_open"]?.(from, follow, ...this.put(path), flags, rights, 0n, fdflags, 500) ?? 0;
    return error === 0 ? this.word(500) : -error;
  }

  /** Reads up to so many bytes. */
  read(descriptor: number, size = 100): string {
    this.ranges([[2000, size]]);
    expect(this.call["fd_read"]?.(descriptor, 600, 1, 700)).toBe(0);
    return this.text(2000, this.word(700));
  }

  write(descriptor: number, text: string): number {
    const [at, size] = this.put(text, 3000);
    this.ranges([[at, size]]);
    return this.call["fd_write"]?.(descriptor, 600, 1, 700) ?? 0;
  }

  ranges(list: readonly (readonly [number, number])[]): void {
    const view = new DataView(this.memory.buffer);
    for (const [index, [at, size]] of list.entries()) {
      view.setUint32(600 + index * 8, at, true);
      view.setUint32(604 + index * 8, size, true);
    }
  }

  /** A function whose last parameters are a path. */
  path(name: string, path: string, from = root): number {
    return this.call[name]?.(from, ...this.put(path)) ?? 0;
  }

  names(descriptor: number, size = 4096): string[] {
    const names: string[] = [];
    for (let cookie = 0n; ; ) {
      expect(this.call["fd_readdir"]?.(descriptor, 8192, size, cookie, 700)).toBe(0);
      const used = this.word(700);
      let at = 8192;
      for (; at + 24 <= 8192 + used; ) {
        const length = this.word(at + 16);
        if (at + 24 + length > 8192 + used) break;
        names.push(this.text(at + 24, length));
        cookie = this.long(at);
        at += 24 + length;
      }
      if (used < size) return names.sort();
    }
  }
}

test("a folder is known by its name, and its files are read", () => {
  const guest = new Guest();
  expect(guest.call["fd_prestat_get"]?.(root, 100)).toBe(0);
  expect([guest.word(100), guest.word(104)]).toEqual([0, 5]);
  expect(guest.call["fd_prestat_dir_name"]?.(root, 200, 5)).toBe(0);
  expect(guest.text(200, 5)).toBe("/data");
  expect(guest.call["fd_prestat_get"]?.(root + 1, 100)).toBe(errors.badDescriptor);
  const poem = guest.open("poem.txt");
  expect(guest.call["fd_prestat_get"]?.(poem, 100)).toBe(errors.badDescriptor);
  expect(guest.call["fd_prestat_get"]?.(guest.open("inner"), 100)).toBe(errors.badDescriptor);
  expect(guest.read(poem, 6)).toBe("a rose");
  expect(guest.call["fd_tell"]?.(poem, 100)).toBe(0);
  expect(guest.long(100)).toBe(6n);
  expect(guest.read(poem)).toBe(" is a rose");
  expect(guest.read(poem)).toBe("");
  expect(guest.call["fd_seek"]?.(poem, -4n, 2, 100)).toBe(0);
  expect(guest.read(poem)).toBe("rose");
  expect(guest.call["fd_seek"]?.(poem, -40n, 1, 100)).toBe(errors.invalid);
  // Two ranges at once, from a place of their own.
  guest.ranges([
    [2000, 1],
    [2001, 3],
  ]);
  expect(guest.call["fd_pread"]?.(poem, 600, 2, 2n, 700)).toBe(0);
  expect(guest.text(2000, guest.word(700))).toBe("rose");
  expect(guest.call["fd_close"]?.(poem)).toBe(0);
  expect(guest.call["fd_close"]?.(poem)).toBe(errors.badDescriptor);
});

test("what is in a folder, in pieces of any size", () => {
  for (let index = 0; index < 50; index++) writeFileSync(join(data, `file-${index}`), "");
  const guest = new Guest();
  const names = [...readdirSync(data), ".", ".."].sort();
  expect(guest.names(root)).toEqual(names);
  expect(guest.names(root, 64)).toEqual(names);
  const inner = guest.open("inner", oflags.directory);
  expect(guest.names(inner)).toEqual([".", "..", "deep.txt"]);
  expect(guest.read(guest.open("deep.txt", 0, read, { from: inner }))).toBe("deep");
  // Within what was granted, back as well.
  expect(guest.read(guest.open("../poem.txt", 0, read, { from: inner }))).toBe("a rose is a rose");
});

test("what is known of a file", () => {
  const guest = new Guest();
  expect(guest.call["path_filestat_get"]?.(root, 1, ...guest.put("poem.txt"), 100)).toBe(0);
  const { ino, mtimeNs } = statSync(join(data, "poem.txt"), { bigint: true });
  expect([guest.long(108), guest.word(116) & 0xff, guest.long(132), guest.long(148)]).toEqual([ino, 4, 16n, mtimeNs]);
  expect(guest.call["fd_filestat_get"]?.(guest.open("inner"), 100)).toBe(0);
  expect(guest.word(116) & 0xff).toBe(3);
  expect(guest.call["path_filestat_get"]?.(root, 1, ...guest.put("none"), 100)).toBe(errors.noEntry);
});

test("nothing is changed in a folder that was not granted for that", () => {
  const guest = new Guest();
  expect(guest.open("new.txt", oflags.create, both)).toBe(-errors.readOnly);
  expect(guest.open("new.txt", oflags.create, read)).toBe(-errors.readOnly);
  expect(guest.open("poem.txt", 0, both)).toBe(-errors.readOnly);
  expect(guest.open("poem.txt", oflags.truncate, read)).toBe(-errors.readOnly);
  expect(guest.path("path_create_directory", "new")).toBe(errors.readOnly);
  expect(guest.path("path_unlink_file", "poem.txt")).toBe(errors.readOnly);
  expect(guest.path("path_remove_directory", "inner")).toBe(errors.readOnly);
  expect(guest.call["path_rename"]?.(root, ...guest.put("poem.txt"), root, ...guest.put("x", 1500))).toBe(
    errors.readOnly,
  );
  expect(guest.call["path_filestat_set_times"]?.(root, 1, ...guest.put("poem.txt"), 0n, 0n, 5)).toBe(errors.readOnly);
  const poem = guest.open("poem.txt");
  expect(guest.write(poem, "x")).toBe(errors.badDescriptor);
  expect(guest.call["fd_filestat_set_size"]?.(poem, 0n)).toBe(errors.badDescriptor);
  expect(guest.call["fd_filestat_set_times"]?.(poem, 0n, 0n, 5)).toBe(errors.badDescriptor);
  expect(readFileSync(join(data, "poem.txt"), "utf8")).toBe("a rose is a rose");
});

test("in one that was, files are written, moved and removed", () => {
  const guest = new Guest(false);
  const file = guest.open("new.txt", oflags.create | oflags.exclusive, both);
  expect(guest.write(file, "one ")).toBe(0);
  expect(guest.write(file, "two")).toBe(0);
  expect(guest.call["fd_seek"]?.(file, 0n, 0, 100)).toBe(0);
  expect(guest.read(file)).toBe("one two");
  expect(guest.call["fd_filestat_set_size"]?.(file, 3n)).toBe(0);
  expect(readFileSync(join(data, "new.txt"), "utf8")).toBe("one");
  expect(guest.open("new.txt", oflags.create | oflags.exclusive, both)).toBe(-errors.exists);
  const more = guest.open("new.txt", 0, write, { fdflags: 1 });
  expect(guest.write(more, "!")).toBe(0);
  expect(readFileSync(join(data, "new.txt"), "utf8")).toBe("one!");
  guest.ranges([[2000, 1]]);
  expect(guest.call["fd_read"]?.(more, 600, 1, 700)).toBe(errors.badDescriptor);
  expect(guest.path("path_create_directory", "made")).toBe(0);
  expect(guest.call["path_rename"]?.(root, ...guest.put("new.txt"), root, ...guest.put("made/new.txt", 1500))).toBe(0);
  expect(guest.path("path_remove_directory", "made")).toBe(errors.notEmpty);
  expect(guest.path("path_unlink_file", "made")).toBe(errors.isDirectory);
  expect(guest.path("path_unlink_file", "made/new.txt")).toBe(0);
  expect(guest.path("path_remove_directory", "made")).toBe(0);
  const poem = guest.open("poem.txt", oflags.truncate, write);
  expect(guest.call["fd_filestat_set_times"]?.(poem, 5_000_000_000n, 7_000_000_000n, 5)).toBe(0);
  expect(statSync(join(data, "poem.txt"), { bigint: true })).toMatchObject({
    size: 0n,
    atimeNs: 5_000_000_000n,
    mtimeNs: 7_000_000_000n,
  });
});

/** Ways to the secret beside the folder. */
const ways = [
  "../secret.txt",
  "inner/../../secret.txt",
  "./../secret.txt",
  "/secret.txt",
  "..",
  "inner/../..",
  "../data-too",
  "../data/poem.txt",
];

test.each(ways)("no path leads out: %s", (path) => {
  const guest = new Guest(false);
  expect(guest.open(path)).toBe(-errors.notCapable);
  expect(guest.open(path, oflags.directory)).toBe(-errors.notCapable);
  expect(guest.open(path, oflags.create, both)).toBe(-errors.notCapable);
  for (const name of ["path_create_directory", "path_unlink_file", "path_remove_directory"]) {
    expect([name, guest.path(name, path)]).toEqual([name, errors.notCapable]);
  }
  expect(guest.call["path_filestat_get"]?.(root, 1, ...guest.put(path), 100)).toBe(errors.notCapable);
  expect(guest.call["path_rename"]?.(root, ...guest.put("poem.txt"), root, ...guest.put(path, 1500))).toBe(
    errors.notCapable,
  );
  expect(guest.call["path_rename"]?.(root, ...guest.put(path), root, ...guest.put("x", 1500))).toBe(errors.notCapable);
  const inner = guest.open("inner");
  expect(guest.open("../../secret.txt", 0, read, { from: inner })).toBe(-errors.notCapable);
});

test("no link leads out, wherever in a path it is", () => {
  symlinkSync(folder, join(data, "absolute"));
  symlinkSync("..", join(data, "up"));
  symlinkSync("../secret.txt", join(data, "to-secret"));
  symlinkSync(join(folder, "secret.txt"), join(data, "to-secret-absolute"));
  symlinkSync("../up", join(data, "inner", "by-another"));
  symlinkSync("inner/../../secret.txt", join(data, "winding"));
  symlinkSync("../new.txt", join(data, "to-nothing"));
  const guest = new Guest(false);
  const paths = [
    "absolute",
    "absolute/secret.txt",
    "up",
    "up/secret.txt",
    "up/data/poem.txt",
    "to-secret",
    "to-secret-absolute",
    "inner/by-another/secret.txt",
    "winding",
    "to-nothing",
  ];
  for (const path of paths) {
    expect([path, guest.open(path)]).toEqual([path, -errors.notCapable]);
    expect([path, guest.open(path, oflags.create, both)]).toEqual([path, -errors.notCapable]);
    expect(guest.call["path_filestat_get"]?.(root, 1, ...guest.put(path), 100)).toBe(errors.notCapable);
  }
  expect(guest.open("to-secret", 0, read, { follow: 0 })).toBe(-errors.loop);
  expect(guest.open("to-nothing", oflags.create, both, { follow: 0 })).toBe(-errors.loop);
  expect(guest.path("path_create_directory", "up/made")).toBe(errors.notCapable);
  expect(existsSync(join(folder, "new.txt"))).toBe(false);
  // A link itself can be looked at, and removed.
  expect(guest.call["path_filestat_get"]?.(root, 0, ...guest.put("to-secret"), 100)).toBe(0);
  expect(guest.word(116) & 0xff).toBe(7);
  expect(guest.call["path_readlink"]?.(root, ...guest.put("to-secret"), 2000, 5, 700)).toBe(0);
  expect(guest.text(2000, guest.word(700))).toBe("../se");
  expect(guest.path("path_unlink_file", "to-secret")).toBe(0);
  expect(readFileSync(join(folder, "secret.txt"), "utf8")).toBe("secret");
});

test("a link within is followed, and a circle of them is none", () => {
  symlinkSync("inner/deep.txt", join(data, "short"));
  symlinkSync("../poem.txt", join(data, "inner", "back"));
  symlinkSync("circle", join(data, "circle"));
  const guest = new Guest();
  expect(guest.read(guest.open("short"))).toBe("deep");
  expect(guest.read(guest.open("inner/back"))).toBe("a rose is a rose");
  expect(guest.open("circle")).toBe(-errors.loop);
});

test("no link is made, and nothing but files and folders is opened", async () => {
  const guest = new Guest(false);
  expect(guest.call["path_symlink"]?.(...guest.put("poem.txt"), root, ...guest.put("x", 1500))).toBe(
    errors.notSupported,
  );
  expect(guest.call["path_link"]?.(root, 0, ...guest.put("poem.txt"), root, ...guest.put("x", 1500))).toBe(
    errors.notSupported,
  );
  const socket = createServer();
  await new Promise<void>((resolve) => socket.listen(join(data, "socket"), resolve));
  expect(guest.open("socket", 0, both)).toBe(-errors.access);
  await new Promise((resolve) => socket.close(resolve));
});

test("paths that are none", () => {
  const guest = new Guest(false);
  expect(guest.open("")).toBe(-errors.noEntry);
  expect(guest.open("none/x")).toBe(-errors.noEntry);
  expect(guest.open("poem.txt/x")).toBe(-errors.notDirectory);
  expect(guest.open("poem.txt/")).toBe(-errors.notDirectory);
  expect(guest.open("poem.txt/.")).toBe(-errors.notDirectory);
  expect(guest.open("poem.txt", oflags.directory)).toBe(-errors.notDirectory);
  expect(guest.open("a\0b")).toBe(-errors.invalid);
  expect(guest.open("inner", 0, both)).toBe(-errors.isDirectory);
  expect(guest.open("poem.txt", 0, read, { from: guest.open("poem.txt") })).toBe(-errors.notDirectory);
  expect(guest.path("path_remove_directory", "inner/..")).toBe(errors.notCapable);
  new Uint8Array(guest.memory.buffer).set([0xff, 0xfe], 1000);
  expect(guest.call["path_open"]?.(root, 1, 1000, 2, 0, read, 0n, 0, 500)).toBe(errors.invalid);
  expect(() => guest.call["path_open"]?.(root, 1, 65_530, 20, 0, read, 0n, 0, 500)).toThrow("out of range");
});

const onLinux = process.platform === "linux" ? test : test.skip;

onLinux("a guest may have so many files open, and they are closed when it ends", () => {
  const guest = new Guest();
  let last = 0;
  while (last >= 0) last = guest.open("poem.txt");
  expect(last).toBe(-33);
  // The streams are served by others.
  expect(guest.call["fd_write"]?.(1, 0, 0, 0)).toBe(99);
  expect(isPoemOpen()).toBe(true);
  guest.close();
  expect(isPoemOpen()).toBe(false);
});

/** Whether this process has the file open, as Linux tells. */
function isPoemOpen(): boolean {
  const links = readdirSync("/proc/self/fd").map((name) => readlinkIfThere(`/proc/self/fd/${name}`));
  return links.includes(realpathSync(join(data, "poem.txt")));
}

/** Of what this is read by, nothing is left. */
function readlinkIfThere(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

test("descriptors are renumbered", () => {
  const guest = new Guest();
  const [one, other] = [guest.open("poem.txt"), guest.open("inner/deep.txt")];
  expect(guest.call["fd_renumber"]?.(one, other)).toBe(0);
  expect(guest.read(other)).toBe("a rose is a rose");
  guest.ranges([[2000, 1]]);
  expect(guest.call["fd_read"]?.(one, 600, 1, 700)).toBe(errors.badDescriptor);
});

test("the folder itself may be a link, and a file in it may have two names", () => {
  symlinkSync(data, join(folder, "link"));
  linkSync(join(data, "poem.txt"), join(data, "other.txt"));
  const guest = new Guest(true, join(folder, "link"));
  expect(guest.read(guest.open("other.txt"))).toBe("a rose is a rose");
});

test("grants that are none", () => {
  const grant =
    (hostPath: string, guestPath = "/x") =>
    () =>
      withFiles({ wasi: { directories: [{ hostPath, guestPath }] } });
  expect(grant(join(folder, "none"))).toThrow(expect.objectContaining({ code: Code.NotFound }));
  expect(grant(join(data, "poem.txt"))).toThrow(expect.objectContaining({ code: Code.InvalidArgument }));
  expect(grant(data, "")).toThrow(expect.objectContaining({ code: Code.InvalidArgument }));
  expect(withFiles({ fuel: 7, wasi: { directories: [] } })).toEqual({ fuel: 7 });
});

onLinux("a module reads a file of a folder that it is granted, and is refused without", async () => {
  const text = `(module
    (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
    (import "extism:host/env" "output_set" (func $output (param i64 i64)))
    (memory (export "memory") 1)
    (data (i32.const 0) "poem.txt")
    (data (i32.const 16) "\\40\\00\\00\\00\\10\\00\\00\\00")
    (func (export "run") (result i32) (local $block i64)
      (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 32))
        (then (return (i32.const 1))))
      (if (call $read (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i32.const 36)) (then (return (i32.const 2))))
      (local.set $block (call $alloc (i64.const 16)))
      (call $store (local.get $block) (i64.load (i32.const 64)))
      (call $store (i64.add (local.get $block) (i64.const 8)) (i64.load (i32.const 72)))
      (call $output (local.get $block) (i64.const 16))
      (i32.const 0)))`;
  const module = await assemble(text);
  const wasi = { directories: [{ hostPath: data, guestPath: "/data" }] };
  const plugin = await loadExtismPlugin(module, { wasm: { wasi } });
  expect(new TextDecoder().decode(await plugin.call("run"))).toBe("a rose is a rose");
  expect(isPoemOpen()).toBe(true);
  await plugin.close();
  expect(isPoemOpen()).toBe(false);
  await expect(loadExtismPlugin(module)).rejects.toMatchObject({
    code: Code.FailedPrecondition,
    message: expect.stringContaining("wasi_snapshot_preview1.path_open"),
  });
});
