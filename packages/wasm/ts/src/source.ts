/** Where a module comes from. */

import { AnyplugError, Code } from "@anyplug/core";
import { type WasmLimits, type WasmOptions, wasmLimits } from "./limits.js";

/** `WebAssembly.Module`, where the program is compiled with types for it. Those of Node 20 have none. */
export type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : never;

/** A module as it is given: its bytes, compiled already, or what `fetch` resolved with. */
export type WasmSource = Uint8Array | ArrayBuffer | CompiledModule | Response;

/**
 * Returns the bytes of a module, which nobody else changes any more, or the compiled module that was given.
 *
 * @throws AnyplugError (rejects) RESOURCE_EXHAUSTED when there are too many, NOT_FOUND or UNAVAILABLE for a response that is no success, INVALID_ARGUMENT for what is no source.
 */
export async function readSource(
  source: WasmSource,
  { maxWasmBytes }: WasmLimits,
  place: string,
): Promise<Uint8Array<ArrayBuffer> | CompiledModule> {
  if (source instanceof WebAssembly.Module) return source;
  if (ArrayBuffer.isView(source)) {
    const { buffer, byteOffset, byteLength } = source;
    checkBytes(byteLength, maxWasmBytes, place);
    return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength));
  }
  if (typeof Response === "function" && source instanceof Response) return readResponse(source, maxWasmBytes, place);
  if (Object.prototype.toString.call(source) === "[object ArrayBuffer]") {
    checkBytes((source as ArrayBuffer).byteLength, maxWasmBytes, place);
    return new Uint8Array((source as ArrayBuffer).slice(0));
  }
  const message = `${place}: expected a Uint8Array, an ArrayBuffer, a WebAssembly.Module or a Response`;
  throw new AnyplugError(Code.InvalidArgument, message);
}

async function readResponse(response: Response, most: number, place: string): Promise<Uint8Array<ArrayBuffer>> {
  if (!response.ok) {
    const code = response.status === 404 ? Code.NotFound : Code.Unavailable;
    throw new AnyplugError(code, `${place} was answered with status ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let next = await reader?.read(); next?.value !== undefined; next = await reader?.read()) {
    length += next.value.length;
    if (length > most) await reader?.cancel();
    checkBytes(length, most, place, false);
    chunks.push(next.value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** `isAll`: there are no more that were not counted. @throws AnyplugError RESOURCE_EXHAUSTED for a module over the limit. */
function checkBytes(bytes: number, maxWasmBytes: number, place: string, isAll = true): void {
  if (bytes <= maxWasmBytes) return;
  const has = `has ${bytes} bytes${isAll ? "" : " or more"}`;
  const message = `${place} ${has}, and a module may have ${maxWasmBytes}; raise wasm.maxWasmBytes`;
  throw new AnyplugError(Code.ResourceExhausted, message);
}

/** For a host that knows how many bytes there are before it reads them. @throws AnyplugError RESOURCE_EXHAUSTED for a module over the limit, INVALID_ARGUMENT for a wrong option. */
export function checkModuleBytes(bytes: number, options: WasmOptions | undefined, place: string): void {
  checkBytes(bytes, wasmLimits(options).maxWasmBytes, place);
}
