/** Checks JSON against an expected shape; what does not fit is named by its path. */

import { AnyplugError, Code } from "@anyplug/core";

/** Returns the value as its type, or throws INVALID_ARGUMENT naming `path`. */
export type Shape<T> = (value: unknown, path: string) => T;

export const text: Shape<string> = (value, path) => {
  if (typeof value !== "string") throw unexpected(path, "text", value);
  return value;
};

export const flag: Shape<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw unexpected(path, "true or false", value);
  return value;
};

/** Text that is one of `names`. */
export function oneOf<T extends string>(...names: readonly T[]): Shape<T> {
  return (value, path) => {
    const found = names.find((name) => name === value);
    if (found === undefined) throw unexpected(path, `one of ${names.join(", ")}`, value);
    return found;
  };
}

/** Text that matches `pattern`. */
export function matching(pattern: RegExp, expected: string): Shape<string> {
  return (value, path) => {
    if (typeof value !== "string" || !pattern.test(value)) throw unexpected(path, expected, value);
    return value;
  };
}

/** A whole number in this range. */
export function integer(least: number, most: number): Shape<number> {
  return (value, path) => {
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
      throw unexpected(path, `a whole number from ${least} to ${most}`, value);
    }
    return value;
  };
}

/** A list whose members have this shape. */
export function list<T>(member: Shape<T>): Shape<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw unexpected(path, "a list", value);
    return value.map((each, index) => member(each, `${path}[${index}]`));
  };
}

/** An object with members of any name and this shape. */
export function record<T>(member: Shape<T>): Shape<Record<string, T>> {
  return (value, path) =>
    Object.fromEntries(
      Object.entries(object(value, path)).map(([key, each]) => [key, member(each, memberPath(path, key))]),
    );
}

/** JSON of any shape. */
export const anything: Shape<unknown> = (value) => value;

type Members<M extends Record<string, Shape<unknown>>> = { [K in keyof M]?: M[K] extends Shape<infer T> ? T : never };

/**
 * An object with these members, spelled like this or in snake_case. Members that are absent or null stay away unless they are required; others than these are ignored.
 */
export function members<M extends Record<string, Shape<unknown>>>(
  shapes: M,
  required: readonly (keyof M & string)[] = [],
): Shape<Members<M>> {
  return (value, path) => {
    const source = object(value, path);
    const result: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(shapes)) {
      const key = [name, snakeCase(name)].find(
        (spelling) => source[spelling] !== undefined && source[spelling] !== null,
      );
      if (key !== undefined) result[name] = shape(source[key], memberPath(path, key));
      else if (required.includes(name))
        throw new AnyplugError(Code.InvalidArgument, `${memberPath(path, name)} is missing`);
    }
    return result as Members<M>;
  };
}

function object(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw unexpected(path, "an object", value);
  return value as Record<string, unknown>;
}

function memberPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function unexpected(path: string, expected: string, value: unknown): AnyplugError {
  const shown = JSON.stringify(value) ?? String(value);
  const short = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
  return new AnyplugError(
    Code.InvalidArgument,
    `${path === "" ? "the whole" : path}: expected ${expected}, got ${short}`,
  );
}
