/** Requests of a plugin: to the hosts that it was granted, and to no others, wherever a redirect leads. */

import { AnyplugError, Code } from "@anyplug/core";

/** One request. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** What came back. */
export interface HttpResponse {
  readonly status: number;
  /** By their names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  /** undefined: it is larger than it may be. */
  readonly body: Uint8Array | undefined;
  /** Where it came from, if the client followed redirects by itself. */
  readonly url?: string | undefined;
}

/** What a request may take. */
export interface HttpLimits {
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
}

/**
 * Sends one request and waits for the response, on the thread of the plugin. A redirect is a response as others are.
 *
 * @throws AnyplugError UNAVAILABLE when there is no response, DEADLINE_EXCEEDED when it takes longer than it may, INVALID_ARGUMENT for a request that cannot be sent.
 */
export type SendRequest = (request: HttpRequest, limits: HttpLimits) => HttpResponse;

const mostRedirects = 10;
/** What is not sent on to another origin. */
const secrets = ["authorization", "cookie", "proxy-authorization"];

/** A response with its body. */
export interface WholeResponse extends HttpResponse {
  readonly body: Uint8Array;
}

/** The hosts that a plugin may send requests to. */
export class Http {
  readonly #name: string;
  readonly #allowed: readonly RegExp[];
  readonly #send: SendRequest;

  /** `allowedHosts`: names of hosts; `*` stands for any run of characters. */
  constructor(name: string, allowedHosts: readonly string[], send: SendRequest) {
    this.#name = name;
    this.#allowed = allowedHosts.map(globOf);
    this.#send = send;
  }

  /** Sends what a plugin wrote in JSON. `left` gives the milliseconds that are left. @throws AnyplugError saying why there is no response. */
  request(text: string, body: Uint8Array | undefined, left: () => number, maxResponseBytes: number): WholeResponse {
    let request = this.#parse(text, body);
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      const url = this.#check(request.url);
      const response = this.#send({ ...request, url: url.href }, { timeoutMs: left(), maxResponseBytes });
      if (response.url !== undefined) this.#check(response.url);
      const { location } = response.headers;
      if (!isRedirect(response.status) || location === undefined) return this.#whole(response, maxResponseBytes);
      request = redirected(request, response.status, url, location);
    }
    throw new AnyplugError(Code.Unavailable, `plugin "${this.#name}" was redirected more than ${mostRedirects} times`);
  }

  #parse(text: string, body: Uint8Array | undefined): HttpRequest {
    let parsed: { url?: unknown; method?: unknown; headers?: unknown } | null;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = null;
    }
    const { url, method, headers } = parsed ?? {};
    const entries = Object.entries(headers ?? {});
    const isText = [url, method ?? "GET", ...entries.map(([, value]) => value)].every((one) => typeof one === "string");
    if (!isText) throw this.#invalid("no request in JSON, with a url and, if need be, method and headers");
    return {
      url: String(url),
      method: String(method ?? "GET").toUpperCase(),
      headers: Object.fromEntries(entries),
      body,
    };
  }

  #check(place: string): URL {
    let url: URL;
    try {
      url = new URL(place);
    } catch {
      throw this.#invalid(`no URL: ${JSON.stringify(place)}`);
    }
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw this.#invalid(`a URL that is not http or https: ${JSON.stringify(place)}`);
    }
    const host = url.hostname.replace(/^\[|\]$/g, "");
    if (this.#allowed.some((allowed) => allowed.test(host))) return url;
    const message = `plugin "${this.#name}" may not send requests to ${JSON.stringify(host)}; grant it by allowedHosts`;
    throw new AnyplugError(Code.PermissionDenied, message);
  }

  #whole(response: HttpResponse, most: number): WholeResponse {
    const { body } = response;
    if (body !== undefined && body.length <= most) return { ...response, body };
    const message = `plugin "${this.#name}" got a response of more than ${most} bytes; raise maxHttpResponseBytes`;
    throw new AnyplugError(Code.ResourceExhausted, message);
  }

  #invalid(what: string): AnyplugError {
    return new AnyplugError(Code.InvalidArgument, `plugin "${this.#name}" gave http_request ${what}`);
  }
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/** The request that a redirect asks for: https://fetch.spec.whatwg.org/#http-redirect-fetch */
function redirected(request: HttpRequest, status: number, from: URL, location: string): HttpRequest {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const { method } = request;
  const becomesGet = status === 303 ? method !== "HEAD" : (status === 301 || status === 302) && method === "POST";
  const isOther = url?.origin !== from.origin;
  const kept = Object.entries(request.headers).filter(([name]) => {
    const small = name.toLowerCase();
    return !(isOther && secrets.includes(small)) && !(becomesGet && small.startsWith("content-"));
  });
  return {
    url: url?.href ?? location,
    method: becomesGet ? "GET" : method,
    headers: Object.fromEntries(kept),
    body: becomesGet ? undefined : request.body,
  };
}

function globOf(pattern: string): RegExp {
  const text = pattern
    .toLowerCase()
    .split("*")
    .map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${text.join(".*")}$`, "s");
}
