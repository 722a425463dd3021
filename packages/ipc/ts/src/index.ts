/**
 * anyplug transport over a child process, a Unix socket or TCP.
 *
 * `startProcess` starts a program with a channel on descriptors of its own, `processChannel` is the host's end of it and `openChannel` the plugin's. The process leads
 * a group, is watched, and what it prints is captured. `connectSocket` is the host's end of a socket, and `listenSocket` the plugin's.
 */

export {
  type Address,
  formatAddress,
  isAddress,
  isLoopback,
  jsonRpcPlace,
  jsonRpcPrefix,
  parseAddress,
} from "./address.js";
export { keptLines, LineCapture, maxLineLength } from "./capture.js";
export { processChannel } from "./channel.js";
export { type ConnectOptions, connectSocket } from "./connect.js";
export {
  channelVariable,
  childEnvironment,
  configVariable,
  type EnvironmentOptions,
  listenVariable,
} from "./environment.js";
export { describeExit, describeOutput, type Exit } from "./exit.js";
export { type Listener, type ListenerOptions, listenSocket } from "./listen.js";
export { PipeChannel } from "./pipe.js";
export { hearPreface, type Preface } from "./preface.js";
export { type PluginProcess, type ProcessOptions, startProcess } from "./process.js";
export { findProgram, type ProgramPlace, scriptInterpreter } from "./program.js";
export { openChannel } from "./serve.js";
export { Spin } from "./spin.js";
export { openStandardStreams, type StandardStreams } from "./stdio.js";
export { StreamChannel, type StreamOptions } from "./stream.js";
export type { TlsOptions } from "./tls.js";
export { eventsOfATurn } from "./turn.js";
export { type Watchdog, watchdog } from "./watchdog.js";
