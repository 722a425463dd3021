"""A plugin in a shared library: where it runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

from ._code import Code
from ._error import AnyplugError

__all__ = ("FfiOptions", "FfiParts", "ffi_parts")


@dataclass(frozen=True, slots=True, kw_only=True)
class FfiOptions:
    """What a host can say about a shared library."""

    isolation: Literal["none", "process"] = "none"
    """``none``: it runs in this process, and can do what that can. ``process``: in one of its own."""


@dataclass(frozen=True, slots=True)
class FfiParts:
    """The options, as the native module takes them."""

    is_apart: bool
    runner: list[str]
    entry: object | None


def ffi_parts(options: FfiOptions | None, entry: object | None = None) -> FfiParts:
    """Returns the options, as the native module takes them; raises AnyplugError (INVALID_ARGUMENT) for others."""
    isolation = (options or FfiOptions()).isolation
    if isolation not in ("none", "process"):
        message = f'ffi.isolation: expected "none" or "process", got "{isolation}"'
        raise AnyplugError(Code.INVALID_ARGUMENT, message)
    return FfiParts(isolation == "process", [sys.executable, "-m", "anyplug.run_library"], entry)
