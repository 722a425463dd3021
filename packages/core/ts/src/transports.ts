/** What an in-process transport needs of the core: how calls begin, are admitted and end. `Connection` is built on the same. */

export { unwritten } from "./codec/memory.js";
export { codecError } from "./codec.js";
export { CallContext, type Surroundings } from "./context.js";
export { type Bucket, Deadlines, deadlines, type Expiring } from "./deadlines.js";
export type { CallHeader } from "./header.js";
export { decodeHello, magic } from "./hello.js";
export { connectPlugin, explained, type HostingOptions, negotiateAll } from "./hosting.js";
export { mergeLimits } from "./limits.js";
export { checkCompatible } from "./negotiation.js";
export { admit, type Route, responsesOf } from "./router.js";
export { errorOf, type Status, statusOf } from "./status.js";
export { iterate, LazyStream, leave } from "./stream.js";
export { within } from "./time.js";
export { abortError, type Begun, begin, deadlineError } from "./transport.js";
