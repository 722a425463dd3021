/**
 * JSON-RPC 2.0 for peers without protobuf, both ways: `JsonRpcLink` calls a peer by typed clients, and a `JsonRpcPeer` that is given what is `served` answers one. Methods are
 * `package.Service/Method`, messages are proto3 JSON. docs/jsonrpc.md describes it.
 */

export { errorFrom, failureText } from "./error.js";
export { Incoming, type IncomingOptions, type Served } from "./incoming.js";
export { JsonRpcLink, type JsonRpcLinkOptions } from "./link.js";
export { JsonRpcPeer, type PeerOptions } from "./peer.js";
export { type Framing, framed, MessageReader } from "./reader.js";
