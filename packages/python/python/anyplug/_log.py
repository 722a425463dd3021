"""Log records: what a plugin tells its host, and the other way round."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

__all__ = ("LogLevel", "LogRecord", "OnLog", "log", "log_to_logging")


class LogLevel(IntEnum):
    """How much a log record matters."""

    TRACE = 1
    """Each step, for its author."""
    DEBUG = 2
    """For the search of a defect."""
    INFO = 3
    """What went as it should."""
    WARN = 4
    """What may become a failure."""
    ERROR = 5
    """What failed."""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record of a structured log."""

    level: LogLevel
    message: str
    logger: str = ""
    """The name of the logger, or ``stdout`` or ``stderr`` for a captured line."""
    time_ms: int = 0
    """Milliseconds since 1970-01-01T00:00:00Z; 0 when the sender has no clock."""
    fields: Mapping[str, str] = field(default_factory=dict)


OnLog: TypeAlias = Callable[[LogRecord], None]
"""Takes each record that a plugin sent or printed."""

_TRACE = 5
_LEVELS = {
    LogLevel.TRACE: _TRACE,
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.INFO: logging.INFO,
    LogLevel.WARN: logging.WARNING,
    LogLevel.ERROR: logging.ERROR,
}


def log_to_logging(plugin: str) -> OnLog:
    """Returns what hands the records of ``plugin`` to the logger ``anyplug.plugin.<name>`` of the standard library."""
    logger = logging.getLogger(f"anyplug.plugin.{plugin}")

    def on_log(record: LogRecord) -> None:
        level = _LEVELS[record.level]
        if logger.isEnabledFor(level):
            name = f"{record.logger}: " if record.logger else ""
            logger.log(level, "%s%s", name, record.message, extra={"fields": dict(record.fields)})

    return on_log


def print_record(record: LogRecord) -> None:
    """Writes a record of the host's, or of the connection itself, to stderr, which is a plugin's own log."""
    fields = "".join(f" {name}={value!r}" for name, value in record.fields.items())
    print(f"{record.level.name} {record.message}{fields}", file=sys.stderr)


HostLog: TypeAlias = Callable[[LogLevel, str, Mapping[str, str]], None]

_HOST: list[HostLog] = []


def set_host(host: HostLog) -> None:
    """Sends what the plugin in this process logs from now on to its host."""
    _HOST[:] = [host]


def log(level: LogLevel, message: str, **fields: str) -> None:
    """Sends a record to the host's log. Within a call, `Context.log` does the same.

    A plugin that no host has connected to yet, or that runs in its host's own process, logs to ``anyplug.plugin``.
    """
    if _HOST:
        _HOST[0](level, message, fields)
    else:
        logging.getLogger("anyplug.plugin").log(_LEVELS[level], "%s", message, extra={"fields": fields})
