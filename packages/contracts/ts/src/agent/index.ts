/**
 * The contract between an agent and its plugins, `anyplug.agent.v1`: what a plugin adds to an agent, what the agent offers to it, and an agent that is small and complete.
 */

export {
  type Agent,
  CallingAgent,
  type Memories,
  type MemoryQuery,
  type MemorySearch,
  type RegisteringAgent,
  type StateQuery,
} from "./agent.js";
export {
  type Action,
  type AgentPluginDefinition,
  type AgentService,
  agentPlugin,
  type Evaluator,
  type EventHandler,
  type Invocation,
  type ModelHandler,
  type Provider,
  type Question,
  type Route,
  type RouteRequest,
  type RouteResponse,
} from "./define.js";
export { isObject, type Json, type JsonObject } from "./json.js";
export { localPeer } from "./local.js";
export { InMemoryMemories } from "./memories.js";
export { type AgentPeer, type InvokeArguments, type Owned, Registration, type RouteAnswer } from "./registration.js";
export { type RouteServer, type RouteServerOptions, serveRoutes } from "./routes.js";
export {
  type AgentPlugin,
  AgentRuntime,
  type AgentRuntimeOptions,
  type NamedResult,
  type ProcessOptions,
  type RegisterOptions,
} from "./runtime.js";
export { type AgentBehind, agentServices } from "./services.js";
export type { ActionResult, Content, Memory, ProviderResult, State } from "./values.js";
