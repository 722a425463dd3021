/** A path of google.protobuf.FieldMask: "user_name" in the message, "userName" in JSON. */

/** Returns the path as JSON has it; undefined when that would be read as another. */
export function maskText(path: string): string | undefined {
  const text = path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return fromMaskText(text) === path ? text : undefined;
}

/** Returns the path that JSON means; undefined when it is none. */
export function fromMaskText(text: string): string | undefined {
  if (!/^[A-Za-z0-9.]+$/.test(text)) return undefined;
  return text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
