"""One contender a process; it runs what it is asked to on standard input and answers by lines of JSON."""

from __future__ import annotations

import importlib
import sys

MODULES = {
    "codecs": "_codecs",
    "process": "_host",
    "direct": "_host",
    "asyncio": "_host_asyncio",
    "asyncio-direct": "_host_asyncio",
    "unix": "_served",
    "tcp": "_served",
    "asyncio-unix": "_served",
    "asyncio-tcp": "_served",
    "asyncio-agent": "_agent",
    "asyncio-line": "_line",
    "wasm": "_modules",
    "asyncio-wasm": "_modules",
    "direct-eliza": "_modules",
    "ffi": "_native",
    "asyncio-ffi": "_native",
    "asyncio-ffi-stream": "_native",
    "ffi-raw": "_native_raw",
    "cffi": "_native_raw",
    "pyo3": "_native_raw",
    "wasmtime": "_wasmtime",
    "extism": "_extism",
    "plain": "_plain",
    "asyncio-plain": "_plain",
    "raw": "_raw",
    "asyncio-raw": "_raw_asyncio",
    "mcp": "_mcp",
    "grpc": "_grpc",
    "asyncio-grpc": "_grpc",
}


def main() -> None:
    """Serves rounds. ``asyncio:rust+uvloop`` is a contender, what it is about, and an event loop."""
    name, _, how = sys.argv[1].partition(":")
    how, _, loop = how.partition("+")
    importlib.import_module(f".{MODULES[name]}", __package__).serve(name, how, loop)


if __name__ == "__main__":
    main()
