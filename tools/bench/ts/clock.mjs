/** Rounds of a given time, and what they come to. */

/** So many calls are made, as far as there is time, before the first that counts, so that what is set up by the first call is not measured. */
const WARM_UP = 20;

/** What a small call carries, in bytes; calls in flight; a large message; how many are in flight; messages of a stream. */
export const SMALL = 64;
export const IN_FLIGHT = 64;
export const LARGE = 1 << 20;
export const LARGE_IN_FLIGHT = 4;
export const STREAM = 2_000;
/** Streams at the same time, and the messages of each. */
export const STREAMS = 1_000;
export const SHORT_STREAM = 10;

/**
 * Calls one after the other for `ms`: the median and the 99th percentile of a call, in microseconds. A sample is the
 * mean of `batch` calls, for calls that take less than reading the clock does.
 */
export async function latency(ms, call, batch = 1) {
  const begin = performance.now();
  for (let warm = 0; warm < WARM_UP && performance.now() < begin + ms; warm++) await call();
  const samples = [];
  const end = performance.now() + ms;
  for (let now = 0; now < end; ) {
    const start = performance.now();
    for (let call_ = 0; call_ < batch; call_++) await call();
    now = performance.now();
    samples.push(((now - start) * 1000) / batch);
  }
  return percentiles(samples);
}

/** The median and the 99th percentile of samples. */
export function percentiles(samples) {
  const sorted = Float64Array.from(samples).sort();
  const at = (share) => sorted[Math.floor(sorted.length * share)];
  return { value: at(0.5), p99: at(0.99) };
}

/** Keeps `inFlight` calls going for `ms`: how many end in a second. */
export async function throughput(ms, inFlight, call) {
  let calls = 0;
  const start = performance.now();
  const end = start + ms;
  const lane = async () => {
    while (performance.now() < end) {
      await call();
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (calls * 1000) / (performance.now() - start);
}

/** Runs `operation` in batches of about 0.5 ms for `ms`: the median of the batches, in microseconds an operation. */
export function operation(ms, run) {
  const time = (count) => {
    const start = performance.now();
    for (let index = 0; index < count; index++) run();
    return ((performance.now() - start) * 1000) / count;
  };
  time(64);
  const batch = Math.max(1, Math.min(1e6, Math.floor(500 / Math.max(time(64), 0.001))));
  const samples = [];
  const end = performance.now() + ms;
  while (samples.length === 0 || performance.now() < end) samples.push(time(batch));
  return percentiles(samples);
}

/**
 * What is measured of calls.
 *
 * @param {{ echo: (size: number) => Promise<unknown>, stream?: (count: number, size: number) => Promise<number>,
 *   messages?: number, batch?: number }} calls `echo` sends and gets back that many bytes; `stream` gets that many
 *   messages of that size; `messages` is how many one stream has, `batch` how many calls are a sample of the latency
 * @returns {Record<string, (ms: number) => Promise<object>>}
 */
export function measurements({ echo, stream, messages = STREAM, batch = 1 }) {
  return {
    latency: (ms) => latency(ms, () => echo(SMALL), batch),
    throughput: async (ms) => ({ value: await throughput(ms, IN_FLIGHT, () => echo(SMALL)) }),
    bulk: async (ms) => {
      const calls = await throughput(ms, LARGE_IN_FLIGHT, () => echo(LARGE));
      return { value: (calls * 2 * LARGE) / 1e6 };
    },
    ...(stream && {
      stream: async (ms) => ({ value: await streamed(ms, 1, stream, messages) }),
      streams: async (ms) => ({ value: await streamed(ms, STREAMS, stream, SHORT_STREAM) }),
    }),
  };
}

/** Keeps `inFlight` streams of so many messages going for `ms`: how many messages come in a second. */
async function streamed(ms, inFlight, stream, messages) {
  const streams = await throughput(ms, inFlight, async () => {
    const count = await stream(messages, SMALL);
    if (count !== messages) throw new Error(`a stream of ${count} messages`);
  });
  return streams * messages;
}

/** A contender that measures by these functions. */
export function contender(runs, close = async () => {}) {
  return {
    run(what, ms) {
      if (runs[what] === undefined) throw new Error(`it cannot run ${what}`);
      return runs[what](ms);
    },
    close,
  };
}
