/**
 * protoc-gen-ts_proto, as buf runs it, with two losses mended that it has no option for, and one cost saved. See mend.mjs and empty-bytes.mjs.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { buffer } from "node:stream/consumers";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { shareEmptyBytes } from "./empty-bytes.mjs";
import { mend } from "./mend.mjs";

const { status, stdout } = spawnSync("node_modules/.bin/protoc-gen-ts_proto", {
  input: await buffer(process.stdin),
  stdio: ["pipe", "pipe", "inherit"],
  maxBuffer: 256 << 20,
});
if (status !== 0) process.exit(status ?? 1);
const response = fromBinary(CodeGeneratorResponseSchema, stdout);
for (const file of response.file) file.content = shareEmptyBytes(mend(file.content));
process.stdout.write(toBinary(CodeGeneratorResponseSchema, response));
