/** What goes wrong when a plugin is built. */

/** Says what in the plugin is to be changed. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}
