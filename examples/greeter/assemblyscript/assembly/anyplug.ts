/** What the host has for a module: AssemblyScript imports it from a module of this file's name. */

export declare function send(ptr: usize, length: u32): void;
