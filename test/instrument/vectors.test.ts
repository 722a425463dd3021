/** Modules with SIMD: what they compute stays the same, and they are stopped as others are. */

import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { assemble, type Bytes, expectStopped, Host } from "./guests.js";

const both = (name: string) => [`${name}_s`, `${name}_u`];
const of = (shapes: string, ...names: string[]) =>
  shapes.split(" ").flatMap((shape) => names.map((name) => `${shape}.${name}`));

const integers = "i8x16 i16x8 i32x4 i64x2";
const floats = "f32x4 f64x2";
/** From the shape with lanes of half the size. */
const wider = (...names: string[]) =>
  [
    ["i16x8", "i8x16"],
    ["i32x4", "i16x8"],
    ["i64x2", "i32x4"],
  ].flatMap(([shape, half]) => names.flatMap((name) => both(`${shape}.${name}_${half}`)));

const unary = [
  "v128.not",
  "i8x16.popcnt",
  ...of(integers, "abs", "neg"),
  ...of(floats, "abs", "neg", "sqrt", "ceil", "floor", "trunc", "nearest"),
  ...wider("extend_low", "extend_high"),
  ...both("i16x8.extadd_pairwise_i8x16"),
  ...both("i32x4.extadd_pairwise_i16x8"),
  ...both("i32x4.trunc_sat_f32x4"),
  ...both("f32x4.convert_i32x4"),
  ...both("f64x2.convert_low_i32x4"),
  ...both("i32x4.trunc_sat_f64x2").map((name) => `${name}_zero`),
  "f32x4.demote_f64x2_zero",
  "f64x2.promote_low_f32x4",
];
const binary = [
  ...["and", "andnot", "or", "xor"].map((name) => `v128.${name}`),
  "i8x16.swizzle",
  ...of(integers, "add", "sub", "eq", "ne", "lt_s", "gt_s", "le_s", "ge_s"),
  ...of("i8x16 i16x8 i32x4", "lt_u", "gt_u", "le_u", "ge_u", "min_s", "min_u", "max_s", "max_u"),
  ...of("i8x16 i16x8", "add_sat_s", "add_sat_u", "sub_sat_s", "sub_sat_u", "avgr_u"),
  ...of("i16x8 i32x4 i64x2", "mul"),
  ...of(floats, "add", "sub", "mul", "div", "min", "max", "pmin", "pmax", "eq", "ne", "lt", "gt", "le", "ge"),
  ...wider("extmul_low", "extmul_high"),
  ...both("i8x16.narrow_i16x8"),
  ...both("i16x8.narrow_i32x4"),
  "i16x8.q15mulr_sat_s",
  "i32x4.dot_i16x8_s",
];
const shifts = of(integers, "shl", "shr_s", "shr_u");
const tests = ["v128.any_true", ...of(integers, "all_true", "bitmask")];
const lanes = ["i8x16.extract_lane_s", "i8x16.extract_lane_u", "i16x8.extract_lane_s", "i16x8.extract_lane_u"];
const loads = [
  "v128.load",
  ...["8x8", "16x4", "32x2"].flatMap((shape) => both(`v128.load${shape}`)),
  ...["8", "16", "32", "64"].map((bits) => `v128.load${bits}_splat`),
  "v128.load32_zero",
  "v128.load64_zero",
];

/** Vectors of small whole numbers, and of lanes of any kind: nothing that is computed with them is no number. */
const x = "(f64x2.convert_low_i32x4_s (i32x4.splat (local.get $n)))";
const y = "(f64x2.convert_low_i32x4_s (i32x4.splat (i32.add (local.get $n) (i32.const 7))))";
const singles = [x, y].map((vector) => vector.replace("f64x2.convert_low", "f32x4.convert"));
const operands = (name: string) => (/f32x4/.test(name) ? singles : [x, y]);

/** Each operator as an expression of a vector. */
const expressions: readonly string[] = [
  ...unary.map((name) => `(${name} ${operands(name)[0]})`),
  ...binary.map((name) => `(${name} ${operands(name).join(" ")})`),
  ...shifts.map((name) => `(${name} ${x} (local.get $n))`),
  ...tests.map((name) => `(i32x4.splat (${name} ${x}))`),
  ...lanes.map((name) => `(i32x4.splat (${name} 3 ${x}))`),
  ...loads.map((name) => `(${name} offset=3 (local.get $n))`),
  ...["8", "16", "32", "64"].map((bits) => `(v128.load${bits}_lane offset=1 1 (local.get $n) ${x})`),
  `(i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31 ${x} ${y})`,
  `(v128.bitselect ${x} ${y} (v128.const i64x2 0x0f0f0f0f0f0f0f0f -3))`,
  `(i8x16.replace_lane 11 ${x} (local.get $n))`,
  `(i16x8.replace_lane 5 ${x} (i32x4.extract_lane 1 ${y}))`,
  `(i64x2.replace_lane 1 ${x} (i64x2.extract_lane 0 ${y}))`,
  `(f32x4.replace_lane 1 ${x} (f32x4.extract_lane 2 ${singles[0]}))`,
  `(f64x2.replace_lane 1 ${x} (f64x2.extract_lane 0 ${y}))`,
  "(i8x16.splat (local.get $n))",
  "(i16x8.splat (local.get $n))",
  "(i64x2.splat (i64.extend_i32_u (local.get $n)))",
  "(f32x4.splat (f32.convert_i32_s (local.get $n)))",
  "(f64x2.splat (f64.convert_i32_s (local.get $n)))",
  "(call $twice (global.get $kept))",
];

/** Turns a number of rounds over these, with vectors in parameters, results, locals, globals and memory. */
function program(chosen: readonly string[]): Bytes {
  const steps = chosen.map(
    (expression, at) => `(local.set $sum (i8x16.add (local.get $sum) ${expression}))
      ${at % 4 === 0 ? "(v128.store8_lane offset=64 2 (local.get $n) (local.get $sum))" : ""}
      ${at % 4 === 1 ? "(v128.store64_lane offset=72 1 (local.get $n) (local.get $sum))" : ""}
      ${at % 4 === 2 ? "(global.set $kept (local.get $sum))" : ""}`,
  );
  const text = `(memory 1) (global $kept (mut v128) (v128.const i32x4 1 2 3 4))
    (func $twice (param $vector v128) (result v128) (i32x4.add (local.get $vector) (local.get $vector)))
    (func (export "f") (param $n i32) (result i64) (local $sum v128)
      (loop $round
        ${steps.join("\n")}
        (v128.store offset=128 (local.get $n) (local.get $sum))
        (br_if $round (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (i64.xor (i64x2.extract_lane 0 (local.get $sum)) (i64x2.extract_lane 1 (local.get $sum))))`;
  return assemble(text, { simd: true });
}

async function expectSame(bytes: Bytes): Promise<void> {
  const original = new WebAssembly.Instance(await WebAssembly.compile(bytes));
  const result = (original.exports["f"] as (n: number) => bigint)(20);
  for (const slice of [0, 100]) {
    expect((await Host.of(bytes, { slice, slices: 1e9 })).call("f", 20)).toBe(result);
  }
}

test("every operator computes the same, with a checkpoint at every turn", async () => {
  expect(expressions.length).toBeGreaterThan(220);
  await expectSame(program(expressions));
});

test("so do programs of some of them, in any order", async () => {
  const seed = Number(process.env["ANYPLUG_SEED"] ?? 7);
  const programs = fc.array(fc.constantFrom(...expressions), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(programs, async (chosen) => expectSame(program(chosen))),
    { seed, numRuns: 40 },
  );
});

test("a loop over vectors is stopped, and charged as other operators are", async () => {
  const bytes = program([expressions[0] ?? ""]);
  const endless = assemble(
    `(func (export "f") (local v128) (loop (local.set 0 (i8x16.add (local.get 0) (v128.const i64x2 1 1))) (br 0)))`,
    { simd: true },
  );
  await expectStopped(endless);
  const host = await Host.of(bytes);
  const once = host.charged("f", 1);
  expect(host.charged("f", 11)).toBe(once * 11 - 10 * (once - (host.charged("f", 2) - once)));
});
