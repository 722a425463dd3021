"""The codecs as processes: the testees of the conformance suite, asked many things at once."""

import os
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable
from typing import IO, Any, Self

from .schema import REQUEST, RESPONSE, ROOT

__all__ = ("Answer", "Testee", "start_all")

Answer = bytes | str
"""The message written again, or why it was refused."""


class Testee:
    """A codec in a process of its own."""

    def __init__(self, language: str, words: list[str]) -> None:
        """Starts the process."""
        paths = ["packages/python/python", "generated/python", "test/conformance/python"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / path) for path in paths)}
        self.language = language
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    def ask(self, inputs: Iterable[tuple[str, bytes]]) -> list[Answer]:
        """Returns what the codec makes of each message, given by the name of its type and its bytes.

        Raises EOFError when the process ended.
        """
        requests = [
            REQUEST(message_type=name, protobuf_payload=data, requested_output_format=1).SerializeToString()
            for name, data in inputs
        ]
        stdin, stdout = self._pipes()
        # In a thread: the codec answers before it has read them all.
        writer = threading.Thread(target=_write, args=(stdin, requests))
        writer.start()
        answers = [_answer(RESPONSE.FromString(_read(stdout))) for _ in requests]
        writer.join()
        return answers

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the process was started without pipes")
        return process.stdin, process.stdout

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the process."""
        with self._process:
            self._pipes()[0].close()


def start_all() -> list[Testee]:
    """Starts a process for each language. Raises FileNotFoundError when one is not built."""
    node = shutil.which("node") or "node"
    return [
        Testee("TypeScript", [node, str(ROOT / "test/conformance/ts/dist/main.js")]),
        Testee("Rust", [str(ROOT / "target/fast/conformance-testee")]),
        Testee("Python", [sys.executable, str(ROOT / "test/conformance/python/testee.py")]),
    ]


def _write(pipe: IO[bytes], requests: list[bytes]) -> None:
    pipe.write(b"".join(struct.pack("<I", len(request)) + request for request in requests))
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes:
    head = pipe.read(4)
    if len(head) < 4:
        raise EOFError("the process ended before it answered")
    (length,) = struct.unpack("<I", head)
    return pipe.read(length)


def _answer(response: Any) -> Answer:
    kind = response.WhichOneof("result")
    result: Answer = getattr(response, kind)
    return result if kind == "protobuf_payload" else f"{kind}: {result!r}"
