/**
 * What plugin.json has to keep to beyond the types of its members, in the words of JSON Schema, by message and member.
 * The hosts check the same, and test/vectors/manifest holds all of them to it.
 */
export const rules = {
  "Manifest.name": { required: true, pattern: "^[a-z][a-z0-9-]*$" },
  "Manifest.version": { required: true },
  "Manifest.language": { required: true, enum: ["typescript", "rust", "python", "other"] },
  "Interop.protocol": { enum: ["wasm", "ffi", "ipc", "native", "json-rpc"] },
  "Interop.ipcPort": { minimum: 1, maximum: 65_535 },
  "Action.name": { required: true },
  "Provider.name": { required: true },
  "Evaluator.name": { required: true },
  "Service.type": { required: true },
  "Route.path": { required: true },
  "Route.method": { required: true, enum: ["GET", "POST", "PUT", "PATCH", "DELETE", "STATIC"] },
};
