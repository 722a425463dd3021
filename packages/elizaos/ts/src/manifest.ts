/** A manifest of ElizaOS, as an agent's description of a plugin and back. */

import { isObject, type Json, type JsonObject } from "@anyplug/contracts/agent";
import { DescribeResponse } from "@anyplug/generated/anyplug/agent/v1/plugin.js";

/**
 * Returns what a manifest says that the plugin has. It is read as it comes: what is not of the expected kind is left out, since peers add members of their own and other
 * spellings.
 */
export function descriptionOf(manifest: JsonObject): DescribeResponse {
  return DescribeResponse.fromPartial({
    name: text(manifest["name"]),
    description: text(manifest["description"]),
    priority: number(manifest["priority"]),
    dependencies: texts(manifest["dependencies"]),
    actions: objects(manifest["actions"]).map((action) => ({
      ...named(action),
      similes: texts(action["similes"]),
      examplesJson: json(action["examples"]),
      tags: texts(action["tags"]),
      priority: number(action["priority"]),
      parametersJson: json(action["parameters"]),
    })),
    providers: objects(manifest["providers"]).map((provider) => ({
      ...named(provider),
      dynamic: provider["dynamic"] === true,
      position: number(provider["position"]),
      private: provider["private"] === true,
    })),
    evaluators: objects(manifest["evaluators"]).map((evaluator) => ({
      ...named(evaluator),
      similes: texts(evaluator["similes"]),
      alwaysRun: (evaluator["alwaysRun"] ?? evaluator["always_run"]) === true,
      examplesJson: json(evaluator["examples"]),
    })),
    services: objects(manifest["services"]).map((service) => ({
      type: text(service["type"] ?? service["serviceType"] ?? service["name"]),
      description: text(service["description"]),
    })),
    routes: objects(manifest["routes"]).map((route) => ({
      path: text(route["path"]),
      method: text(route["method"] ?? route["type"]),
      name: text(route["name"]),
      public: route["public"] === true,
      multipart: (route["isMultipart"] ?? route["is_multipart"]) === true,
    })),
    events: isObject(manifest["events"]) ? Object.keys(manifest["events"]) : [],
    models: texts(manifest["models"]),
  });
}

/** Returns the manifest of a plugin: of each thing the members that ElizaOS knows. */
export function manifestOf(description: DescribeResponse, language: string): JsonObject {
  const { name, version } = { version: "1.0.0", ...description };
  const parsed = (source: string): Json | undefined => (source === "" ? undefined : (JSON.parse(source) as Json));
  return {
    name,
    description: description.description,
    version,
    language,
    interop: { protocol: "ipc" },
    dependencies: description.dependencies,
    actions: description.actions.map((action) => ({
      name: action.name,
      description: action.description,
      similes: action.similes,
      examples: parsed(action.examplesJson),
    })),
    providers: description.providers.map((provider) => ({
      name: provider.name,
      description: provider.description,
      dynamic: provider.dynamic,
      position: provider.position,
      private: provider.private,
    })),
    evaluators: description.evaluators.map((evaluator) => ({
      name: evaluator.name,
      description: evaluator.description,
      alwaysRun: evaluator.alwaysRun,
      similes: evaluator.similes,
    })),
    services: description.services.map(({ type, description: about }) => ({ type, description: about })),
    routes: description.routes.map((route) => ({
      path: route.path,
      method: route.method,
      name: route.name,
      public: route.public,
      isMultipart: route.multipart,
    })),
    events: Object.fromEntries(description.events.map((type) => [type, [type]])),
  };
}

function named(value: JsonObject): { name: string; description: string } {
  return { name: text(value["name"]), description: text(value["description"]) };
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function number(value: Json | undefined): number {
  return typeof value === "number" && Number.isInteger(value) ? value : 0;
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function json(value: Json | undefined): string {
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
