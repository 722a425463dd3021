/** What programs expect to find, beside the language itself: put in place when this module is read. */

import { console } from "./console.js";
import { AbortController, AbortSignal, CustomEvent, Event, EventTarget } from "./events.js";
import { crypto, random } from "./random.js";
import { TextDecoder, TextEncoder } from "./text.js";
import { clearTimeout, setInterval, setTimeout } from "./timers.js";

const setImmediate = <Arguments extends unknown[]>(callback: (...given: Arguments) => void, ...given: Arguments) =>
  setTimeout(callback, 0, ...given);

const globals = {
  AbortController,
  AbortSignal,
  CustomEvent,
  Event,
  EventTarget,
  TextDecoder,
  TextEncoder,
  clearImmediate: clearTimeout,
  clearInterval: clearTimeout,
  clearTimeout,
  console,
  crypto,
  setImmediate,
  setInterval,
  setTimeout,
};

for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}
Math.random = random;
for (const name of ["dispose", "asyncDispose"] as const) {
  if (name in Symbol) continue;
  Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
}
