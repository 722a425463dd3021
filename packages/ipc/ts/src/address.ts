/** Where a plugin is served: `unix:/run/x.sock`, `tcp://127.0.0.1:9000`, `tls://plugins.example:9000`. */

import { resolve } from "node:path";
import { AnyplugError, Code } from "@anyplug/core";

/** The socket of an address. `plugin` names one plugin of a set, where the address ends in `#name`; empty: the only one. */
export type Address =
  | { readonly kind: "unix"; readonly path: string; readonly plugin: string }
  | { readonly kind: "tcp" | "tls"; readonly host: string; readonly port: number; readonly plugin: string };

/** The longest path that fits into an address of the system, in bytes: 108 on Linux and 104 elsewhere, with the zero at its end. */
const maxPathBytes = process.platform === "linux" ? 107 : 103;

const expected =
  "expected unix:PATH, tcp://HOST:PORT or tls://HOST:PORT, such as unix:/run/plugin.sock, tcp://127.0.0.1:9000 or tcp://[::1]:9000";

/** Stands before an address where JSON-RPC is spoken: `json-rpc+unix:/run/x.sock`. */
export const jsonRpcPrefix = "json-rpc+";

/** Whether `text` is meant as an address, and not as the path of a plugin. */
export function isAddress(text: string): boolean {
  return /^(json-rpc\+)?(unix|tcp|tls):/.test(text);
}

/** Returns what is behind `json-rpc+`; undefined for another address. */
export function jsonRpcPlace(text: string): string | undefined {
  return text.startsWith(jsonRpcPrefix) ? text.slice(jsonRpcPrefix.length) : undefined;
}

/**
 * Reads an address.
 *
 * @throws AnyplugError INVALID_ARGUMENT for one that is wrong, with what was expected.
 */
export function parseAddress(text: string): Address {
  const wrong = (why: string) => new AnyplugError(Code.InvalidArgument, `address ${JSON.stringify(text)}: ${why}`);
  const [, place = "", plugin = ""] = /^([^#]*)(?:#(.*))?$/s.exec(text) ?? [];
  if (text.includes("#") && !/^[a-z][a-z0-9-]*$/.test(plugin)) {
    throw wrong(
      "expected the name of a plugin after #: lower-case letters, digits and dashes, beginning with a letter",
    );
  }
  const [, path] = /^unix:(?:\/\/(?=\/))?(.*)$/s.exec(place) ?? [];
  if (path !== undefined) {
    if (path === "" || path.includes("\0")) throw wrong(expected);
    const absolute = resolve(path);
    const bytes = Buffer.byteLength(absolute);
    if (bytes > maxPathBytes) throw wrong(`the path takes ${bytes} bytes, and a socket's takes ${maxPathBytes}`);
    return { kind: "unix", path: absolute, plugin };
  }
  const [, kind, six, four, digits = ""] =
    /^(tcp|tls):\/\/(?:\[([0-9a-fA-F:.]+)\]|([^:/?@[\]\s]+)):(\d{1,5})$/.exec(place) ?? [];
  const host = six ?? four;
  const port = Number(digits);
  if ((kind !== "tcp" && kind !== "tls") || host === undefined || port > 65_535) throw wrong(expected);
  return { kind, host, port, plugin };
}

/** Returns the address as text, which {@link parseAddress} reads. */
export function formatAddress(address: Address): string {
  const plugin = address.plugin === "" ? "" : `#${address.plugin}`;
  if (address.kind === "unix") return `unix:${address.path}${plugin}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.kind}://${host}:${address.port}${plugin}`;
}

/** Whether a host, by name or number, is this machine and nothing else. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(host) || /^(0*:)*:?0*1$/.test(host);
}

/**
 * Refuses TCP without TLS to or on another machine's network, unless it is asked for.
 *
 * @throws AnyplugError FAILED_PRECONDITION, with what to do.
 */
export function checkPlaintext(address: Address, allowPlaintext: boolean): void {
  if (address.kind !== "tcp" || allowPlaintext || isLoopback(address.host)) return;
  const message =
    `${formatAddress(address)} is not on this machine alone, and tcp:// is neither encrypted nor authenticated: use tls:// with certificates, ` +
    "or allow it by name (allowPlaintext in TypeScript, allow_plaintext in Python and Rust)";
  throw new AnyplugError(Code.FailedPrecondition, message);
}
