/** Random scripts: what the two sides do, and how their bytes travel. */

import fc from "fast-check";

/** What a step does. */
export type Deed =
  | "request"
  | "message"
  | "half_close"
  | "end_call"
  | "cancel"
  | "expire"
  | "credit"
  | "consume"
  | "ping"
  | "log"
  | "drain"
  | "take"
  | "deliver";

/** One step. `pick` chooses a call, a method or a code among those that there are, `size` is that of a message or of a delivery; a delivery with `flag` is of everything. */
export interface Step {
  readonly side: 0 | 1;
  readonly deed: Deed;
  readonly pick: number;
  readonly size: number;
  readonly flag: boolean;
}

/** Two sessions and what becomes of them. */
export interface Script {
  /** Whether the first side is the host. */
  readonly firstIsHost: boolean;
  /** Whether the hellos are exchanged before the first step. */
  readonly opened: boolean;
  /** Whether most deliveries are left out, so that buffers fill. */
  readonly lazy: boolean;
  readonly limits: readonly [Limits, Limits];
  readonly steps: readonly Step[];
}

/** Limits of one side; a plugin that leaves one out takes over the host's. */
export interface Limits {
  readonly max_message_bytes?: number | undefined;
  readonly max_pending_requests?: number | undefined;
  readonly initial_credit_bytes?: number | undefined;
  readonly max_buffer_bytes?: number | undefined;
}

const often: [Deed, number][] = [
  ["request", 15],
  ["message", 40],
  ["half_close", 2],
  ["end_call", 2],
  ["cancel", 1],
  ["expire", 1],
  ["credit", 5],
  ["consume", 12],
  ["ping", 2],
  ["log", 2],
  ["take", 5],
  ["deliver", 20],
];

const size = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.nat(20) },
  { weight: 6, arbitrary: fc.nat(400) },
  { weight: 3, arbitrary: fc.nat(2000) },
);

function step(deeds: readonly [Deed, number][]): fc.Arbitrary<Step> {
  return fc.record({
    side: fc.constantFrom<0 | 1>(0, 1),
    deed: fc.oneof(...deeds.map(([deed, weight]) => ({ weight, arbitrary: fc.constant(deed) }))),
    pick: fc.nat(255),
    size,
    flag: fc.boolean(),
  });
}

const limits: fc.Arbitrary<Limits> = fc.record({
  max_message_bytes: fc.option(fc.integer({ min: 100, max: 1000 }), { nil: undefined }),
  max_pending_requests: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  initial_credit_bytes: fc.option(fc.integer({ min: 1, max: 800 }), { nil: undefined }),
  max_buffer_bytes: fc.option(fc.integer({ min: 2000, max: 6000 }), { nil: undefined }),
});

const many = { maxLength: 250, size: "max" } as const;

/** Most scripts are without a drain; where one is, it comes late, for no call can be made after it. */
export const scripts: fc.Arbitrary<Script> = fc.record({
  firstIsHost: fc.boolean(),
  opened: fc.nat(9).map((chance) => chance > 0),
  lazy: fc.boolean(),
  limits: fc.tuple(limits, limits),
  steps: fc
    .tuple(
      fc.array(step(often), many),
      fc.oneof(fc.constant([]), fc.array(step([...often, ["drain", 20]]), { maxLength: 40, size: "max" })),
    )
    .map(([before, after]) => [...before, ...after]),
});
