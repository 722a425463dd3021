"""Makes plugins of a few lines in Python, for tests of what goes wrong."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

__all__ = ("write_plugin",)


def write_plugin(folder: Path, program: str, *, module: str | None = None, **members: Any) -> Path:
    """Writes a plugin.json and a plugin.py with this program, and returns the folder."""
    interop = {"ipcCommand": "python plugin.py", **({"module": module} if module else {})}
    manifest = {"name": "broken", "version": "1", "language": "python", "interop": interop, **members}
    (folder / "plugin.json").write_text(json.dumps(manifest))
    (folder / "plugin.py").write_text(textwrap.dedent(program))
    return folder
