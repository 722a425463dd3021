"""Compiles what is called by cffi: ``_cffi_library.py SOURCE FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

import cffi

__all__ = ()

if __name__ == "__main__":
    builder = cffi.FFI()
    builder.cdef("void echo(uint8_t *to, const uint8_t *from, size_t length);")
    builder.set_source("anyplug_bench_cffi", Path(sys.argv[1]).read_text(), extra_compile_args=["-O2"])
    builder.compile(tmpdir=sys.argv[2])
