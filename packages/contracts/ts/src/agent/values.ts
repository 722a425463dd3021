/** Memories, contents, states and results as JavaScript has them, and as messages. Members without a field of their own are kept, both ways. */

import * as wire from "@anyplug/generated/anyplug/agent/v1/values.js";
import { type Json, type JsonObject, parseList, parseObject, printJson } from "./json.js";

/** What a memory says. */
export interface Content {
  readonly text?: string | undefined;
  readonly thought?: string | undefined;
  /** Names of actions that were chosen. */
  readonly actions?: readonly string[] | undefined;
  readonly providers?: readonly string[] | undefined;
  readonly source?: string | undefined;
  readonly target?: string | undefined;
  readonly url?: string | undefined;
  /** The id of the memory that this one answers. */
  readonly inReplyTo?: string | undefined;
  readonly channelType?: string | undefined;
  readonly attachments?: readonly Json[] | undefined;
  readonly data?: JsonObject | undefined;
  /** Members that the schema does not name. */
  readonly [name: string]: Json | undefined;
}

/** Something that was said or done, in a room, as agents remember it. */
export interface Memory {
  /** A UUID, as are all ids. */
  readonly id?: string | undefined;
  readonly entityId?: string | undefined;
  readonly agentId?: string | undefined;
  readonly roomId?: string | undefined;
  readonly worldId?: string | undefined;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly createdAt?: number | undefined;
  readonly content: Content;
  readonly embedding?: readonly number[] | undefined;
  /** Whether nothing alike may be kept beside it. */
  readonly unique?: boolean | undefined;
  /** How near it is to what was searched for: -1 to 1. Only in answers to a search. */
  readonly similarity?: number | undefined;
  readonly metadata?: JsonObject | undefined;
  /** Members that the schema does not name. */
  readonly [name: string]: Json | undefined;
}

/** What an agent knows when it decides: the texts and values of its providers. */
export interface State {
  readonly text: string;
  readonly values: JsonObject;
  readonly data: JsonObject;
  /** Members that the schema does not name. */
  readonly [name: string]: Json | undefined;
}

/** How an action or an evaluator ended. */
export interface ActionResult {
  readonly success: boolean;
  readonly text?: string | undefined;
  /** Merged into the state that later actions see. */
  readonly values?: JsonObject | undefined;
  readonly data?: JsonObject | undefined;
  /** Why there was no success. */
  readonly error?: string | undefined;
  /** Members that the schema does not name. */
  readonly [name: string]: Json | undefined;
}

/** What a provider tells. */
export interface ProviderResult {
  readonly text?: string | undefined;
  readonly values?: JsonObject | undefined;
  readonly data?: JsonObject | undefined;
}

/** Returns the message of a content. */
export function contentMessage(content: Content): wire.Content {
  const {
    text,
    thought,
    actions,
    providers,
    source,
    target,
    url,
    inReplyTo,
    channelType,
    attachments,
    data,
    ...extra
  } = content;
  return wire.Content.fromPartial({
    text,
    thought,
    actions: actions && [...actions],
    providers: providers && [...providers],
    source,
    target,
    url,
    inReplyTo,
    channelType,
    attachmentsJson: printJson(attachments, "content.attachments"),
    dataJson: printJson(data, "content.data"),
    extraJson: printExtra(extra, "content"),
  });
}

/** Returns the content of a message. */
export function contentOf(message: wire.Content | undefined): Content {
  if (message === undefined) return {};
  const { text, thought, actions, providers, source, target, url, inReplyTo, channelType } = message;
  return present({
    ...parseObject(message.extraJson, "content.extra_json"),
    text,
    thought,
    actions: actions.length === 0 ? undefined : actions,
    providers: providers.length === 0 ? undefined : providers,
    source,
    target,
    url,
    inReplyTo,
    channelType,
    attachments: parseList(message.attachmentsJson, "content.attachments_json"),
    data: parseObject(message.dataJson, "content.data_json"),
  });
}

/** Returns the message of a memory. */
export function memoryMessage(memory: Memory): wire.Memory {
  const {
    id,
    entityId,
    agentId,
    roomId,
    worldId,
    createdAt,
    content,
    embedding,
    unique,
    similarity,
    metadata,
    ...extra
  } = memory;
  return wire.Memory.fromPartial({
    id,
    entityId,
    agentId,
    roomId,
    worldId,
    createdAtMs: createdAt === undefined ? undefined : BigInt(Math.trunc(createdAt)),
    content: contentMessage(content),
    embedding: embedding && [...embedding],
    unique,
    similarity,
    metadataJson: printJson(metadata, "metadata"),
    extraJson: printExtra(extra, "memory"),
  });
}

/** Returns the memory of a message. */
export function memoryOf(message: wire.Memory | undefined): Memory {
  if (message === undefined) return { content: {} };
  const { id, entityId, agentId, roomId, worldId, createdAtMs, embedding, unique, similarity } = message;
  return present({
    ...parseObject(message.extraJson, "memory.extra_json"),
    id: id || undefined,
    entityId: entityId || undefined,
    agentId: agentId || undefined,
    roomId: roomId || undefined,
    worldId: worldId || undefined,
    createdAt: createdAtMs === undefined ? undefined : Number(createdAtMs),
    content: contentOf(message.content),
    embedding: embedding.length === 0 ? undefined : embedding,
    unique,
    similarity,
    metadata: parseObject(message.metadataJson, "memory.metadata_json"),
  });
}

/** Returns the message of a state. */
export function stateMessage({ text, values, data, ...extra }: State): wire.State {
  return wire.State.fromPartial({
    text,
    valuesJson: printJson(values, "state.values"),
    dataJson: printJson(data, "state.data"),
    extraJson: printExtra(extra, "state"),
  });
}

/** Returns the state of a message. */
export function stateOf(message: wire.State | undefined): State {
  return {
    ...(message && parseObject(message.extraJson, "state.extra_json")),
    text: message?.text ?? "",
    values: (message && parseObject(message.valuesJson, "state.values_json")) ?? {},
    data: (message && parseObject(message.dataJson, "state.data_json")) ?? {},
  };
}

/** Returns the message of a result. */
export function resultMessage({ success, text, values, data, error, ...extra }: ActionResult): wire.ActionResult {
  return wire.ActionResult.fromPartial({
    success,
    text,
    error,
    valuesJson: printJson(values, "result.values"),
    dataJson: printJson(data, "result.data"),
    extraJson: printExtra(extra, "result"),
  });
}

/** Returns the result of a message. */
export function resultOf(message: wire.ActionResult): ActionResult {
  const { success, text, error } = message;
  return present({
    ...parseObject(message.extraJson, "result.extra_json"),
    success,
    text,
    values: parseObject(message.valuesJson, "result.values_json"),
    data: parseObject(message.dataJson, "result.data_json"),
    error,
  });
}

/** Returns the message of what a provider tells. */
export function providerMessage({ text, values, data }: ProviderResult): wire.ProviderResult {
  return wire.ProviderResult.fromPartial({
    text,
    valuesJson: printJson(values, "result.values"),
    dataJson: printJson(data, "result.data"),
  });
}

/** Returns what a provider tells. */
export function providerResultOf(message: wire.ProviderResult | undefined): ProviderResult {
  if (message === undefined) return {};
  return present({
    text: message.text,
    values: parseObject(message.valuesJson, "result.values_json"),
    data: parseObject(message.dataJson, "result.data_json"),
  });
}

function printExtra(extra: JsonObject, where: string): string {
  return Object.keys(extra).length === 0 ? "" : printJson(extra, where);
}

/** Without the members that are undefined. */
function present<T extends object>(value: T): T {
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) Reflect.deleteProperty(value, name);
  }
  return value;
}
