"""Messages on standard input and output, each behind its length (u32, big-endian).

So the runner speaks with clients and servers.
"""

import struct
import sys
from typing import TypeVar

from anyplug.codegen.v1 import Message

__all__ = ("read_message", "write_message")

MessageT = TypeVar("MessageT", bound=Message)


def read_message(message_type: type[MessageT]) -> MessageT | None:
    """Waits for the next message and returns it, or None when the input has ended."""
    head = sys.stdin.buffer.read(4)
    if not head:
        return None
    (length,) = struct.unpack(">I", head)
    return message_type.parse(sys.stdin.buffer.read(length))


def write_message(message: Message) -> None:
    """Writes one message."""
    data = bytes(message)
    sys.stdout.buffer.write(struct.pack(">I", len(data)) + data)
    sys.stdout.buffer.flush()
