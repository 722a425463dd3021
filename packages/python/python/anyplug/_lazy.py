"""Modules of the standard library that are imported when something of them is first used.

They take longer than the rest of this package, and a plugin of plain functions, or a host without an event loop, needs
none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = ("asyncio", "futures")

if TYPE_CHECKING:
    import asyncio
    from concurrent import futures
else:

    class _Lazy:
        """Stands for a module. What was found in it once is an attribute here, and costs no more than there."""

        def __init__(self, name: str) -> None:
            self.__name__ = name

        def __getattr__(self, name: str) -> object:
            # The import system sees to it that another thread never finds a module that is not complete.
            value = getattr(import_module(self.__name__), name)
            setattr(self, name, value)
            return value

    asyncio = _Lazy("asyncio")
    futures = _Lazy("concurrent.futures")
