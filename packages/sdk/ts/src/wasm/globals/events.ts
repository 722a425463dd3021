/** Event, EventTarget, AbortController and AbortSignal: as much of them as programs use without a document. */

type Listener = ((event: ModuleEvent) => void) | { handleEvent(event: ModuleEvent): void };

interface ListenerOptions {
  readonly once?: boolean | undefined;
  readonly signal?: ModuleAbortSignal | undefined;
}

class ModuleEvent {
  readonly type: string;
  readonly cancelable: boolean;
  readonly timeStamp = performance.now();
  target: ModuleEventTarget | null = null;
  defaultPrevented = false;
  isStopped = false;

  constructor(type: string, { cancelable = false } = {}) {
    this.type = String(type);
    this.cancelable = cancelable;
  }

  get currentTarget(): ModuleEventTarget | null {
    return this.target;
  }

  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true;
  }

  stopImmediatePropagation(): void {
    this.isStopped = true;
  }

  stopPropagation(): void {}
}

class ModuleCustomEvent extends ModuleEvent {
  readonly detail: unknown;

  constructor(type: string, options: { cancelable?: boolean; detail?: unknown } = {}) {
    super(type, options);
    this.detail = options.detail ?? null;
  }
}

class ModuleEventTarget {
  #listeners: { readonly type: string; readonly listener: Listener; readonly once: boolean }[] = [];

  addEventListener(type: string, listener: Listener | null, options: ListenerOptions | boolean = {}): void {
    if (listener === null) return;
    if (this.#listeners.some((known) => known.type === type && known.listener === listener)) return;
    const { once = false, signal } = typeof options === "boolean" ? {} : options;
    if (signal?.aborted === true) return;
    this.#listeners = [...this.#listeners, { type, listener, once }];
    signal?.addEventListener("abort", () => this.removeEventListener(type, listener), { once: true });
  }

  removeEventListener(type: string, listener: Listener | null): void {
    this.#listeners = this.#listeners.filter((known) => known.type !== type || known.listener !== listener);
  }

  dispatchEvent(event: ModuleEvent): boolean {
    event.target = this;
    for (const { type, listener, once } of this.#listeners) {
      if (type !== event.type) continue;
      if (event.isStopped) break;
      if (once) this.removeEventListener(type, listener);
      report(() => (typeof listener === "function" ? listener.call(this, event) : listener.handleEvent(event)));
    }
    return !event.defaultPrevented;
  }
}

/** A listener that throws is reported, and the others hear the event. */
function report(listen: () => void): void {
  try {
    listen();
  } catch (error) {
    void Promise.reject(error);
  }
}

/** Who may make signals. */
const own = Symbol("own");

class ModuleAbortSignal extends ModuleEventTarget {
  aborted = false;
  reason: unknown = undefined;

  constructor(by: symbol) {
    super();
    if (by !== own) throw new TypeError("an AbortSignal is made by an AbortController");
  }

  #onabort: ((event: ModuleEvent) => void) | null = null;

  get onabort(): ((event: ModuleEvent) => void) | null {
    return this.#onabort;
  }

  /** It has its turn among the listeners from when it was first set. */
  set onabort(listener: ((event: ModuleEvent) => void) | null) {
    this.#onabort = listener;
    if (listener === null) this.removeEventListener("abort", this.#attribute);
    else this.addEventListener("abort", this.#attribute);
  }

  readonly #attribute = (event: ModuleEvent): void => this.#onabort?.call(this, event);

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  static abort(reason?: unknown): ModuleAbortSignal {
    const signal = new ModuleAbortSignal(own);
    abort(signal, reason);
    return signal;
  }

  static timeout(ms: number): ModuleAbortSignal {
    const signal = new ModuleAbortSignal(own);
    setTimeout(() => abort(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError")), ms);
    return signal;
  }

  static any(signals: Iterable<ModuleAbortSignal>): ModuleAbortSignal {
    const all = [...signals];
    const signal = new ModuleAbortSignal(own);
    const aborted = all.find((one) => one.aborted);
    if (aborted !== undefined) abort(signal, aborted.reason);
    else for (const one of all) one.addEventListener("abort", () => abort(signal, one.reason), { once: true, signal });
    return signal;
  }
}

class ModuleAbortController {
  readonly signal: ModuleAbortSignal = new ModuleAbortSignal(own);

  abort(reason?: unknown): void {
    abort(this.signal, reason);
  }
}

function abort(signal: ModuleAbortSignal, reason: unknown): void {
  if (signal.aborted) return;
  signal.aborted = true;
  signal.reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
  signal.dispatchEvent(new ModuleEvent("abort"));
}

export {
  ModuleAbortController as AbortController,
  ModuleAbortSignal as AbortSignal,
  ModuleCustomEvent as CustomEvent,
  ModuleEvent as Event,
  ModuleEventTarget as EventTarget,
};
