/** The parameters of an action: one JSON Schema with us, a list of names with schemas in ElizaOS. */

import { isObject, type Json, type JsonObject } from "@anyplug/contracts/agent";

/** Returns the members of an object's JSON Schema as ElizaOS lists them; a list is returned as it is, and undefined where there is neither. */
export function parameterList(schema: Json | undefined): Json[] | undefined {
  if (Array.isArray(schema)) return [...schema];
  const properties = isObject(schema) ? schema["properties"] : undefined;
  if (!isObject(schema) || !isObject(properties)) return undefined;
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(properties)
    .filter((entry): entry is [string, JsonObject] => isObject(entry[1]))
    .map(([name, member]) => ({
      name,
      description: String(member["description"] ?? ""),
      required: required.includes(name),
      schema: member,
    }));
}

/** Returns ElizaOS's list as one JSON Schema, and a schema as it is. */
export function parameterSchema(parameters: Json): JsonObject | undefined {
  if (!Array.isArray(parameters)) return isObject(parameters) ? parameters : undefined;
  const objects = parameters.filter(isObject);
  return {
    type: "object",
    properties: Object.fromEntries(
      objects.map(({ name, schema, description }) => [
        String(name),
        { ...(isObject(schema) ? schema : {}), ...(description === undefined ? {} : { description }) },
      ]),
    ),
    required: objects.filter(({ required }) => required === true).map(({ name }) => String(name)),
  };
}
