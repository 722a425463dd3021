import { createFileRegistry, fromBinary, ScalarType } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { rules } from "./manifest-rules.mjs";

/**
 * The JSON Schema of plugin.json, for editors: the members, types and comments of anyplug.plugin.v1.Manifest, and what
 * the rules say beyond. Members of others are allowed, as the hosts allow them.
 *
 * @param {Uint8Array} descriptors the schemas as a FileDescriptorSet, with source info
 * @returns {string} the JSON text
 */
export function manifestSchema(descriptors) {
  const set = fromBinary(FileDescriptorSetSchema, descriptors);
  const file = set.file.find(({ name }) => name === "anyplug/plugin/v1/manifest.proto");
  const comments = new Map(
    file?.sourceCodeInfo?.location.map(({ path, leadingComments }) => [path.join(), leadingComments.trim()]),
  );
  const manifest = createFileRegistry(set).getMessage("anyplug.plugin.v1.Manifest");
  if (file === undefined || manifest === undefined) throw new Error("the schemas have no anyplug.plugin.v1.Manifest");
  const index = new Map(file.messageType.map(({ name }, at) => [name, at]));
  const unused = new Set(Object.keys(rules));

  const message = (type) => {
    const at = index.get(type.name);
    const members = type.fields.map((field, i) => [field, comments.get(`4,${at},2,${i}`), rule(type, field)]);
    const required = members.filter(([, , { required }]) => required).map(([{ jsonName }]) => jsonName);
    const description = comments.get(`4,${at}`);
    return {
      ...(description && { description }),
      type: "object",
      properties: Object.fromEntries(
        members.map(([field, comment, { keywords }]) => [
          field.jsonName,
          { ...(comment && { description: comment }), ...value(field), ...keywords },
        ]),
      ),
      ...(required.length > 0 && { required }),
    };
  };
  const rule = ({ name }, field) => {
    unused.delete(`${name}.${field.jsonName}`);
    const { required = false, ...keywords } = rules[`${name}.${field.jsonName}`] ?? {};
    return { required, keywords };
  };
  const value = (field) => {
    if (field.fieldKind === "list") return { type: "array", items: single(field) };
    if (field.fieldKind === "map") return { type: "object", additionalProperties: single(field) };
    return single(field);
  };
  const single = ({ scalar, message: type }) => {
    if (type === undefined) return scalars[scalar] ?? fail(`no JSON Schema for the scalar ${ScalarType[scalar]}`);
    if (type.typeName === "google.protobuf.Struct") return { type: "object" };
    if (type.typeName === "google.protobuf.ListValue") return { type: "array" };
    return message(type);
  };

  const { properties, ...rest } = message(manifest);
  if (unused.size > 0) fail(`rules for members that are not there: ${[...unused].join(", ")}`);
  const $schema = { description: "Where the editor finds this schema.", type: "string" };
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "plugin.json of anyplug",
    ...rest,
    properties: { $schema, ...properties },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

const scalars = {
  [ScalarType.STRING]: { type: "string" },
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.INT32]: { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
  [ScalarType.UINT32]: { type: "integer", minimum: 0, maximum: 2 ** 32 - 1 },
};

function fail(message) {
  throw new Error(message);
}
