import { expect, test } from "@jest/globals";
import {
  betterprotoClassName,
  betterprotoSnakeCase,
  camelCase,
  lowerCamelCase,
  snakeCase,
  upperCamelCase,
} from "../src/casing.js";

// What heck 0.5 (prost), ts-proto 2.18 and betterproto2 0.10 make of these names: stubs refer to their messages.
test.each([
  ["GetURLs", "get_ur_ls"],
  ["HTTPRequest", "http_request"],
  ["V1Beta", "v1_beta"],
  ["already_snake", "already_snake"],
  ["SCREAMING_CASE", "screaming_case"],
  ["x2Y", "x2_y"],
  ["_leading__and_trailing_", "leading_and_trailing"],
])("prost calls the module of %s %s", (name, expected) => {
  expect(snakeCase(name)).toBe(expected);
});

test.each([
  ["reply_request", "ReplyRequest"],
  ["HTTPRequest", "HttpRequest"],
  ["GetURLs", "GetUrLs"],
  ["A", "A"],
])("prost calls message %s %s", (name, expected) => {
  expect(upperCamelCase(name)).toBe(expected);
});

test.each([
  ["Foo_Bar", "FooBar"],
  ["FOO_BAR", "fooBar"],
  ["foo_bar", "fooBar"],
  ["HTTPRequest", "HTTPRequest"],
])("ts-proto calls message %s %s", (name, expected) => {
  expect(lowerCamelCase(name)).toBe(expected);
});

test.each([
  ["HTTPRequest", "HttpRequest"],
  ["Outer.Inner.Kind", "OuterInnerKind"],
  ["some_thing2x", "SomeThing2X"],
])("betterproto2 calls message %s %s", (name, expected) => {
  expect(betterprotoClassName(name)).toBe(expected);
});

test.each([
  ["sessionId", "session_id"],
  ["session_Id", "session_Id"],
  ["value1", "value1"],
  ["someURL2", "some_url_2"],
])("betterproto2 calls field %s %s", (name, expected) => {
  expect(betterprotoSnakeCase(name)).toBe(expected);
});

test.each([
  ["Reply", "reply"],
  ["ReplyStream", "replyStream"],
  ["GetURL", "getURL"],
  ["get_url", "getUrl"],
  ["GET", "gET"],
])("method %s is %s in TypeScript", (name, expected) => {
  expect(camelCase(name)).toBe(expected);
});
