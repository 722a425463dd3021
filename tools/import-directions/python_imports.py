"""Print, as JSON, what the Python files named on standard input (one a line) import: [[file, module], …]."""

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path


def imports(file: str) -> Iterator[str]:
    """Yield the modules that a file imports; those of a `from` import with the name, which may be a module itself."""
    for node in ast.walk(ast.parse(Path(file).read_bytes(), file)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{name.name}" for name in node.names)


if __name__ == "__main__":
    files = sys.stdin.read().split()
    json.dump([[file, module] for file in files for module in imports(file)], sys.stdout)
