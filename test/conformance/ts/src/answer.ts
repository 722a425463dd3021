import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { Everything } from "@anyplug/generated/anyplug/test/v1/test.js";
import { type JsonMessage, JsonTypes } from "@anyplug/json";
import { decodeMessage } from "../../../../packages/core/ts/dist/codec.js";
import {
  type ConformanceRequest,
  type ConformanceResponse,
  TestCategory,
  WireFormat,
} from "./generated/conformance/conformance.js";
import { TestAllTypesProto3 } from "./generated/google/protobuf/test_messages_proto3.js";

type Result = ConformanceResponse["result"];
type Answer = (request: ConformanceRequest) => Result;

const json = new JsonTypes([readFileSync(new URL("../../descriptors.binpb", import.meta.url))]);

const messages: Record<string, Answer> = {
  "protobuf_test_messages.proto3.TestAllTypesProto3": answerWith(TestAllTypesProto3),
  "anyplug.test.v1.Everything": answerWith(Everything),
};

/** Returns the result of a request; what is not proto3, or neither binary nor JSON, is skipped. */
export function answer(request: ConformanceRequest): Result {
  return messages[request.messageType]?.(request) ?? skipped(`there is no ${request.messageType}`);
}

/** Reads a message and writes it again. */
function answerWith<T>(codec: JsonMessage<T>): Answer {
  return (request) => {
    const { payload, requestedOutputFormat, testCategory } = request;
    if (payload?.$case !== "protobufPayload" && payload?.$case !== "jsonPayload")
      return skipped(`of ${payload?.$case}`);
    if (requestedOutputFormat !== WireFormat.PROTOBUF && requestedOutputFormat !== WireFormat.JSON) {
      return skipped(`to ${WireFormat[requestedOutputFormat]}`);
    }
    const ignoreUnknownMembers = testCategory === TestCategory.JSON_IGNORE_UNKNOWN_PARSING_TEST;
    let message: T;
    try {
      message =
        payload.$case === "jsonPayload"
          ? json.fromJson(codec, payload.jsonPayload, { ignoreUnknownMembers })
          : codec.decode(payload.protobufPayload);
      if (payload.$case === "protobufPayload" && !isDeepStrictEqual(called(codec, payload.protobufPayload), message)) {
        return { $case: "runtimeError", runtimeError: "calls read it otherwise than decode()" };
      }
    } catch (error) {
      if (payload.$case === "protobufPayload" && called(codec, payload.protobufPayload) !== undefined) {
        return { $case: "runtimeError", runtimeError: `calls read what decode() refuses: ${error}` };
      }
      return { $case: "parseError", parseError: String(error) };
    }
    try {
      return requestedOutputFormat === WireFormat.JSON
        ? { $case: "jsonPayload", jsonPayload: json.toJson(codec, message) }
        : { $case: "protobufPayload", protobufPayload: codec.encode(message).finish() };
    } catch (error) {
      return { $case: "serializeError", serializeError: String(error) };
    }
  };
}

/** The message as calls read it, by a reader of their own; undefined where they refuse it. */
function called<T>(codec: JsonMessage<T>, bytes: Uint8Array): T | undefined {
  try {
    return decodeMessage(codec, bytes);
  } catch {
    return undefined;
  }
}

function skipped(why: string): Result {
  return { $case: "skipped", skipped: why };
}
