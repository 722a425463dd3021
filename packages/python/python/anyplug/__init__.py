"""anyplug for Python."""

from ._code import Code
from ._error import AnyplugError
from ._log import LogLevel

__all__ = ("AnyplugError", "Code", "LogLevel")
