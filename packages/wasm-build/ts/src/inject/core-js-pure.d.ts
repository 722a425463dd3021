/** What is taken from core-js-pure, which comes without types. */

declare module "core-js-pure/actual/structured-clone.js" {
  const clone: typeof structuredClone;
  // biome-ignore lint/style/noDefaultExport: the module has one.
  export default clone;
}

declare module "core-js-pure/actual/url/index.js" {
  const url: typeof URL;
  // biome-ignore lint/style/noDefaultExport: the module has one.
  export default url;
}

declare module "core-js-pure/actual/url-search-params/index.js" {
  const parameters: typeof URLSearchParams;
  // biome-ignore lint/style/noDefaultExport: the module has one.
  export default parameters;
}
