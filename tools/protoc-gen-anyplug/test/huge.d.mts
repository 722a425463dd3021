/** A schema of many messages: the texts of the files by their names. */
export function hugeSchema(count: number): Record<string, string>;
