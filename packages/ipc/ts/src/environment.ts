/** The environment of a child process: little is passed on, the rest is asked for by name. */

/** What a child process gets of the host's environment. */
export interface EnvironmentOptions {
  /** Variables to set, over whatever is inherited. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** `true`: all of the host's variables; a list: these, beside PATH, HOME, LANG, LC_*, TZ and TMPDIR. Default: only those. */
  readonly inheritEnv?: boolean | readonly string[] | undefined;
  /** Variables that are never inherited, whatever `inheritEnv` says. */
  readonly envDenylist?: readonly string[] | undefined;
}

/** Names the descriptors of a plugin's channel. */
export const channelVariable = "ANYPLUG_CHANNEL";

/** Carries a plugin's configuration, as JSON. */
export const configVariable = "ANYPLUG_CONFIG";

/** Names the address at which a program that no host started serves its plugins. */
export const listenVariable = "ANYPLUG_LISTEN";

const passedOn = new Set(["PATH", "HOME", "LANG", "TZ", "TMPDIR"]);

/** A plugin that is a host itself must not hand its own channel or configuration to the plugins it loads. */
const neverPassedOn = new Set([channelVariable, configVariable]);

/** Returns the environment for a child of a process whose own is `source`. */
export function childEnvironment(
  options: EnvironmentOptions,
  source: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const asked = new Set(Array.isArray(options.inheritEnv) ? options.inheritEnv : []);
  const denied = new Set(options.envDenylist ?? []);
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    if (value === undefined || denied.has(name) || neverPassedOn.has(name)) continue;
    if (options.inheritEnv === true || passedOn.has(name) || name.startsWith("LC_") || asked.has(name)) {
      environment[name] = value;
    }
  }
  return { ...environment, ...options.env };
}
