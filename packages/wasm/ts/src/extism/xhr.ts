/** Sends requests in a browser, where only XMLHttpRequest can wait for a response. */

import { AnyplugError, Code } from "@anyplug/core";
import type { HttpResponse, SendRequest } from "./http.js";

/** As much of XMLHttpRequest as is used here: the types of Node have none. */
interface Xhr {
  status: number;
  responseText: string;
  responseURL: string;
  open(method: string, url: string, isAsync: boolean): void;
  overrideMimeType(type: string): void;
  setRequestHeader(name: string, value: string): void;
  send(body: Uint8Array | null): void;
  getAllResponseHeaders(): string;
}

/** Sends a request and waits for it. A browser follows redirects by itself, and sets no limit of time to what is waited for. */
export const sendByXhr: SendRequest = ({ method, url, headers, body }, { maxResponseBytes }): HttpResponse => {
  const { XMLHttpRequest: Request } = globalThis as { XMLHttpRequest?: new () => Xhr };
  if (Request === undefined) throw new AnyplugError(Code.Unimplemented, "this host sends no requests");
  const request = new Request();
  try {
    request.open(method, url, false);
    // Each character is a byte then: what waits may not ask for bytes on a page's main thread.
    request.overrideMimeType("text/plain; charset=x-user-defined");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body ?? null);
  } catch (cause) {
    throw new AnyplugError(Code.Unavailable, `no answer from ${url}: ${AnyplugError.from(cause).message}`, { cause });
  }
  const text = request.responseText;
  const answer =
    text.length > maxResponseBytes ? undefined : Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0xff);
  return {
    status: request.status,
    headers: parse(request.getAllResponseHeaders()),
    body: answer,
    url: request.responseURL,
  };
};

function parse(lines: string): Record<string, string> {
  const pairs = lines.split("\r\n").filter((line) => line.includes(":"));
  return Object.fromEntries(
    pairs.map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()];
    }),
  );
}
