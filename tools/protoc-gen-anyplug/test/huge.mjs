const kinds = [
  ...["string", "int32", "int64", "bool", "double", "bytes", "uint32"],
  ...["repeated string", "repeated int32", "map<string, string>"],
];

/**
 * A schema of many messages with some fifteen fields each, in files of a hundred, that refer to each other; with enums and services.
 *
 * @param {number} count how many messages
 * @returns {Record<string, string>} the texts of the files by their names
 */
export function hugeSchema(count) {
  const files = {};
  for (let part = 0; part * 100 < count; part++) {
    const lines = ['syntax = "proto3";', "package huge.v1;", 'import "google/protobuf/timestamp.proto";'];
    if (part > 0) lines.push(`import "huge/v1/part${part - 1}.proto";`);
    for (let index = part * 100; index < Math.min(count, part * 100 + 100); index++) lines.push(...message(index));
    files[`huge/v1/part${part}.proto`] = `${lines.join("\n")}\n`;
  }
  return files;
}

function message(index) {
  const fields = kinds.map(
    (_, at) => `  // Field ${at}.\n  ${kinds[(index + at) % kinds.length]} field_${at} = ${at + 1};`,
  );
  const last = `Message${index - 1}`;
  const kind = Math.floor(index / 10) * 10;
  const more = [`  Kind${kind} kind = 24;`, "  google.protobuf.Timestamp at = 23;"];
  if (index > 0) more.push(`  ${last} previous = 20;`, "  oneof choice { string text = 21; int64 number = 22; }");
  const lines = [`// Message number ${index}.`, `message Message${index} {`, ...fields, ...more, "}"];
  if (index % 10 === 0) lines.push(`enum Kind${index} { KIND${index}_UNSPECIFIED = 0; KIND${index}_ONE = 1; }`);
  if (index % 50 === 1) {
    const service = `Thing${index}Service`;
    const rpcs = ["Get", "List"].map(
      (name) => `rpc ${name}(Message${index}) returns (${name === "Get" ? "" : "stream "}${last});`,
    );
    lines.push(`service ${service} { ${rpcs.join(" ")} }`);
  }
  return lines;
}
