"""Entries found by key, metadata and vector, in memory."""

from __future__ import annotations

from ._database import Database

__all__ = ["Database"]
