/** JSON as a tree that loses nothing: numbers as they were written, members in their order, also those that come twice. */

import { shortened } from "../fault.js";

/** A value of JSON. */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;

/** A number as it was written. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object. */
export class JsonObject {
  readonly members: readonly (readonly [name: string, value: Json])[];

  constructor(members: readonly (readonly [name: string, value: Json])[]) {
    this.members = members;
  }
}

/** Returns a value as a message about it shows it. */
export function shown(value: Json): string {
  if (value instanceof JsonObject) return "an object";
  if (value instanceof JsonNumber) return shortened(value.text);
  if (typeof value === "string") return JSON.stringify(shortened(value));
  return value === null || typeof value === "boolean" ? String(value) : "an array";
}

/** Returns a value as JSON text, in one line. */
export function jsonText(value: Json): string {
  if (value instanceof JsonNumber) return value.text;
  if (value instanceof JsonObject) {
    return `{${value.members.map(([name, member]) => `${JSON.stringify(name)}:${jsonText(member)}`).join(",")}}`;
  }
  if (typeof value === "object" && value !== null) return `[${value.map(jsonText).join(",")}]`;
  return JSON.stringify(value);
}
