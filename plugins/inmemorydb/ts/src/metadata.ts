/** Metadata, and what is asked of it. */

import type { Condition, MetadataValue } from "@anyplug/generated/inmemorydb/v1/inmemorydb.js";
import { checkText, refusal } from "./checks.js";
import { compareText } from "./order.js";

/** What a member of the metadata is. */
export type Scalar = string | number | boolean;

/** The metadata of an entry. */
export type Metadata = ReadonlyMap<string, Scalar>;

/** Says whether metadata is as it must be. */
export type Filter = (metadata: Metadata) => boolean;

type Test = (value: Scalar | undefined) => boolean;

/** Reads the metadata of an entry; of several members that are wrong it names the lowest. */
export function readMetadata(place: string, members: ReadonlyMap<string, MetadataValue>): Metadata {
  const names = [...members.keys()].sort(compareText);
  return new Map(names.map((name) => [name, scalarOf(`${place}["${name}"]`, members.get(name))]));
}

/** Returns metadata as a message has it. */
export function writeMetadata(metadata: Metadata): Map<string, MetadataValue> {
  return new Map([...metadata].map(([name, value]) => [name, { kind: kindOf(value) }]));
}

/** Returns whether all conditions hold; undefined if there are none. */
export function filterOf(conditions: readonly Condition[]): Filter | undefined {
  if (conditions.length === 0) return undefined;
  const tests = conditions.map((condition, at) => [condition.field, testOf(`filter[${at}]`, condition)] as const);
  return (metadata) => tests.every(([field, test]) => test(metadata.get(field)));
}

function testOf(place: string, { test }: Condition): Test {
  switch (test?.$case) {
    case undefined:
      throw refusal(`${place}: expected a test, got nothing`);
    case "equals": {
      const given = scalarOf(`${place}.equals`, test.equals);
      return (value) => value === given;
    }
    case "notEquals": {
      const given = scalarOf(`${place}.not_equals`, test.notEquals);
      return (value) => value !== given;
    }
    case "anyOf": {
      const given = new Set<Scalar | undefined>(
        test.anyOf.values.map((value, at) => scalarOf(`${place}.any_of[${at}]`, value)),
      );
      return (value) => value !== undefined && given.has(value);
    }
    case "lessThan":
      return comparison(scalarOf(`${place}.less_than`, test.lessThan), (order) => order < 0);
    case "atMost":
      return comparison(scalarOf(`${place}.at_most`, test.atMost), (order) => order <= 0);
    case "greaterThan":
      return comparison(scalarOf(`${place}.greater_than`, test.greaterThan), (order) => order > 0);
    case "atLeast":
      return comparison(scalarOf(`${place}.at_least`, test.atLeast), (order) => order >= 0);
    case "exists":
      return (value) => (value !== undefined) === test.exists;
  }
}

function comparison(given: Scalar, holds: (order: number) => boolean): Test {
  return (value) => typeof value === typeof given && value !== undefined && holds(compare(value, given));
}

/** Compares two of one kind. */
function compare(a: Scalar, b: Scalar): number {
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  return Number(a) - Number(b);
}

function scalarOf(place: string, value: MetadataValue | undefined): Scalar {
  const kind = value?.kind;
  switch (kind?.$case) {
    case undefined:
      throw refusal(`${place}: expected text, a number or a flag, got nothing`);
    case "text":
      checkText(place, kind.text);
      return kind.text;
    case "number":
      if (!Number.isFinite(kind.number)) throw refusal(`${place}: expected a finite number`);
      return kind.number;
    case "flag":
      return kind.flag;
  }
}

function kindOf(value: Scalar): NonNullable<MetadataValue["kind"]> {
  if (typeof value === "string") return { $case: "text", text: value };
  return typeof value === "number" ? { $case: "number", number: value } : { $case: "flag", flag: value };
}
