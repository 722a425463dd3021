/** The benchmark's schema for grpc-js. */
import { join } from "node:path";
import { loadSync } from "@grpc/proto-loader";

const proto = join(import.meta.dirname, "..", "..", "..", "proto");

export const definition = loadSync("anyplug/bench/v1/bench.proto", { includeDirs: [proto] });
