"""ElizaOS's line protocols, both ways.

`load_line_plugin` makes a plugin that speaks one of them a plugin of an agent; `LineServer` serves a plugin of an agent
to a host that speaks one, and `serve_elizaos` does so on the standard streams. `load_library_plugin` loads a shared
library with ElizaOS's C ABI. `ElizaosBridge` registers a plugin of ours with ElizaOS's own Python runtime, and
`published_plugin` makes a plugin that was written for that runtime one of any agent's. It needs the extra
``anyplug[agent]``.
"""

from ._bridge import ElizaosBridge
from ._drive import Dialect, driven_plugin
from ._library import LibraryPlugin, load_library_plugin, load_rust_plugin
from ._lines import LineReader
from ._load import LinePlugin, load_line_plugin
from ._manifest import description_of, manifest_of
from ._peer import LinePeer
from ._published import published_plugin
from ._serve import LineServer
from ._stdio import serve_elizaos

__all__ = (
    "Dialect",
    "ElizaosBridge",
    "LibraryPlugin",
    "LinePeer",
    "LinePlugin",
    "LineReader",
    "LineServer",
    "description_of",
    "driven_plugin",
    "load_library_plugin",
    "load_line_plugin",
    "load_rust_plugin",
    "manifest_of",
    "published_plugin",
    "serve_elizaos",
)
