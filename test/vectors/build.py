"""Writes the vectors of this folder: `python build.py`, or `python build.py --check`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from calls import cancellation_scripts, stream_scripts, unary_scripts
from connection import connection_scripts, hello_scripts
from flow import credit_scripts, limit_scripts
from malformed import malformed_scripts
from messages import frame_vectors, header_vectors, status_vectors
from short import short_scripts
from taken import message_vectors
from wire import Json

HERE = Path(__file__).parent


def session_vectors() -> dict[str, list[Json]]:
    return {"hello": hello_scripts(), "unary": unary_scripts(), "streams": stream_scripts(), "cancellation": cancellation_scripts(), "credit": credit_scripts(),
            "limits": limit_scripts(), "connection": connection_scripts(), "malformed": malformed_scripts(), "short": short_scripts()}


def main() -> int:
    files: dict[Path, Any] = {HERE / "messages.json": message_vectors(), HERE / "frames.json": frame_vectors(), HERE / "statuses.json": status_vectors(), HERE / "headers.json": header_vectors()}
    files |= {HERE / "sessions" / f"{name}.json": scripts for name, scripts in session_vectors().items()}
    stale = []
    for path, content in files.items():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    if "--check" in sys.argv and stale:
        print("not what build.py writes: " + ", ".join(str(p.relative_to(HERE)) for p in stale), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
