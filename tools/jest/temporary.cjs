/** One folder for everything temporary of a run, so that nothing of it stays behind. */
const { mkdtempSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

/** jest calls this before it starts its workers, which inherit the variable. */
module.exports = () => {
  process.env.TMPDIR = mkdtempSync(join(tmpdir(), "anyplug-jest-"));
};
