/** One jest run for every TypeScript test of the repository, and for those of our tools. */
export default {
  testEnvironment: "node",
  testMatch: [
    "<rootDir>/{generated,packages,plugins,examples,tools,test}/**/*.test.ts",
    "<rootDir>/{tools,test}/**/*.test.mjs",
  ],
  testPathIgnorePatterns: ["/node_modules/", "/dist/", "/target/"],
  modulePathIgnorePatterns: ["<rootDir>/target/", "<rootDir>/.cache/", "<rootDir>/.nx/", "<rootDir>/.venv/"],
  watchPathIgnorePatterns: ["/dist/", "/target/"],
  extensionsToTreatAsEsm: [".ts"],
  globalSetup: "<rootDir>/tools/jest/temporary.cjs",
  globalTeardown: "<rootDir>/tools/jest/temporary-end.cjs",
  resolver: "<rootDir>/tools/jest/resolver.cjs",
  transform: {
    "\\.ts$": [
      "@swc/jest",
      {
        swcrc: false,
        sourceMaps: "inline",
        module: { type: "es6" },
        jsc: { target: "es2022", parser: { syntax: "typescript", explicitResourceManagement: true } },
      },
    ],
  },
  // Only for a test that hangs: a machine may be slow.
  testTimeout: 300_000,
};
