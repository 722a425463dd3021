/** The instrumenter (packages/wasm/instrument) as a WebAssembly module, deflated (zlib), in base64. The build writes it beside this file. */
export declare const instrumenter: string;
