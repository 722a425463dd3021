/** The messages of a schema in TypeScript: what ts-proto writes, with the options and the mends that anyplug needs. */
import { toBinary } from "@bufbuild/protobuf";
import { type CodeGeneratorRequest, CodeGeneratorRequestSchema } from "@bufbuild/protobuf/wkt";
import { createFileContext } from "ts-proto/build/src/context.js";
import { generateFile, makeUtils } from "ts-proto/build/src/main.js";
import { getTsPoetOpts, optionsFromParameter } from "ts-proto/build/src/options.js";
import sourceInfo, { type SourceDescription } from "ts-proto/build/src/sourceInfo.js";
import { createTypeMap } from "ts-proto/build/src/types.js";
import { CodeGeneratorRequest as TsProtoRequest } from "ts-proto-descriptors";
import type { Options } from "../options.js";
import type { Output } from "../output.js";
import { shareEmptyBytes } from "./empty-bytes.mjs";
import { mend } from "./mend.mjs";
import { tidy } from "./tidy.js";

const settings = [
  "forceLong=bigint",
  "oneof=unions",
  "unknownFields=true",
  // Timestamps as seconds and nanoseconds: a Date has milliseconds.
  "useDate=false",
  // Objects as maps would lose the key "__proto__".
  "useMapType=true",
  // Enums are open: a number that the schema does not name stays that number.
  "unrecognizedEnum=false",
  "outputTypeAnnotations=static-only",
  "outputServices=none",
  // JSON is @anyplug/json's, which goes by the descriptors.
  "outputJsonMethods=false",
  "useExactTypes=false",
  "annotateFilesWithVersion=false",
  "emitImportedFiles=false",
];

/** Writes `x.ts` for each file of the request. */
export function typescriptMessages(request: CodeGeneratorRequest, options: Options): Output[] {
  // ts-proto has a descriptor of its own, which is read from bytes.
  const own = TsProtoRequest.decode(toBinary(CodeGeneratorRequestSchema, request));
  const modules = [...options.modules].map(([file, module]) => `M${file}=${module}`);
  const parameter = [...settings, `importSuffix=${options.importSuffix}`, ...modules].join();
  const tsProto = optionsFromParameter(parameter);
  const context = { typeMap: createTypeMap(own, tsProto), options: tsProto, utils: makeUtils(tsProto) };
  const wanted = new Set(request.fileToGenerate);
  return own.protoFile
    .filter((file) => wanted.has(file.name))
    .map((file) => {
      const [path, code] = generateFile({ ...context, currentFile: createFileContext(file) }, file);
      const written = code.toString({ ...getTsPoetOpts(tsProto, "", "", file.name), path, format: false });
      return { path, content: shareEmptyBytes(mend(tidy(written))) };
    });
}

interface Locations {
  sourceCode: Readonly<Record<string, SourceDescription>>;
  selfDescription: SourceDescription;
  prefix?: string;
}

/** ts-proto copies the locations of a file for each message in it. With a prefix instead, a thousand messages take half the time. */
function shareLocations(): void {
  const prototype: object = sourceInfo.default.prototype;
  const none = sourceInfo.default.empty();
  const lookup = (from: Locations, path: string) => from.sourceCode[(from.prefix ?? "") + path] ?? none;
  Object.assign(prototype, {
    lookup(this: Locations, type: number | string, index?: number) {
      return lookup(this, index === undefined ? `${type}` : `${type}.${index}`);
    },
    open(this: Locations, type: number | string, index: number) {
      const path = `${type}.${index}`;
      const child: Locations = Object.create(prototype);
      child.sourceCode = this.sourceCode;
      child.selfDescription = lookup(this, path);
      child.prefix = `${this.prefix ?? ""}${path}.`;
      return child;
    },
  });
}

shareLocations();
