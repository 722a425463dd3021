#!/usr/bin/env node
/** What the crate `elizaos` needs of protoc when it is built, by buf: `--include_imports --include_source_info -o FILE -I FOLDER FILES…`. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const words = process.argv.slice(2);
const after = (word) => words[words.indexOf(word) + 1];
const buf = join(import.meta.dirname, "..", "..", "node_modules", ".bin", "buf");
const output = `${after("-o")}#format=binpb`;
execFileSync(buf, ["build", after("-I"), "-o", output, "--as-file-descriptor-set"], { stdio: "inherit" });
