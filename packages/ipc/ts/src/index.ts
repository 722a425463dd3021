/**
 * anyplug transport over a child process.
 *
 * `startProcess` starts a program with a channel on descriptors of its own, `processChannel` is the host's end of it and `openChannel` the plugin's. The process leads
 * a group, is watched, and what it prints is captured.
 */

export { keptLines, LineCapture, maxLineLength } from "./capture.js";
export { processChannel } from "./channel.js";
export { channelVariable, childEnvironment, configVariable, type EnvironmentOptions } from "./environment.js";
export { describeExit, describeOutput, type Exit } from "./exit.js";
export { PipeChannel } from "./pipe.js";
export { type PluginProcess, type ProcessOptions, startProcess } from "./process.js";
export { findProgram, type ProgramPlace, scriptInterpreter } from "./program.js";
export { openChannel } from "./serve.js";
export { Spin } from "./spin.js";
export { type Watchdog, watchdog } from "./watchdog.js";
