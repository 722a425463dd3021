/** Which messages have a JSON of their own. */

const OWN = new Set(
  [
    ["Any", "Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue"],
    ["DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value"],
    ["BoolValue", "StringValue", "BytesValue"],
  ]
    .flat()
    .map((name) => `google.protobuf.${name}`),
);

/** Whether the JSON of a message is not the object of its fields. */
export function hasOwnJson(typeName: string): boolean {
  return OWN.has(typeName);
}
