/**
 * Our sources import each other as `./x.js`, the name that they have once built. In the sources themselves that file is
 * `./x.ts`; packages that are imported by name resolve to their built `dist` as usual.
 */
const { existsSync } = require("node:fs");
const { resolve } = require("node:path");

module.exports = (request, options) => {
  if (request.startsWith(".") && request.endsWith(".js")) {
    const source = resolve(options.basedir, request.replace(/\.js$/, ".ts"));
    if (!source.includes("/node_modules/") && existsSync(source)) return source;
  }
  return options.defaultResolver(request, options);
};
