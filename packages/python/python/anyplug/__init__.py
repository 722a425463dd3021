"""anyplug: any runtime loads any plugin.

A host loads a plugin written in Python, TypeScript or Rust, and calls it by generated clients::

    with load_plugin("./plugins/eliza-classic/rust") as plugin:
        print(plugin.client(Eliza).reply(text="Men are all alike.").text)

    async with load_plugin("./plugins/eliza-classic/rust") as plugin:
        print((await plugin.client(Eliza).reply(text="Men are all alike.")).text)

A plugin implements generated handlers::

    plugin = define_plugin(name="my-eliza", version="1.0.0", services=[implement(Eliza, MyEliza())])

    if __name__ == "__main__":
        serve(plugin)

After `os.fork` the plugins of the parent cannot be used in the child; it loads its own.
"""

try:
    from . import _native as _native
except ImportError as error:
    raise ImportError(
        "anyplug's native module does not load on this Python and platform. Install a wheel of anyplug that is made "
        f"for them, or build it where a Rust toolchain is: {error}"
    ) from error

from ._code import Code
from ._codec import encode
from ._context import Context, PeerInfo
from ._descriptor import MethodDescriptor, MethodKind, ServiceDescriptor
from ._discovery import (
    Discovery,
    FoundPlugin,
    PluginFailure,
    PluginSource,
    discover_plugins,
    register_builtin,
    unregister_builtin,
)
from ._error import AnyplugError, Detail
from ._extism import ExtismFunction, ExtismLoad, ExtismPlugin, SyncExtismPlugin, load_extism_plugin
from ._ffi import FfiOptions
from ._handler import Handler, Implementation, RequestStream, implement, unimplemented
from ._json import JsonTypes
from ._limits import Limits
from ._listen import PluginServer, listen
from ._load import LoadOptions, PluginLoad, TransportName, load_plugin, load_ts_plugin
from ._log import LogLevel, LogRecord, OnLog, log
from ._metadata import Metadata, MetadataInput
from ._options import CallOptions
from ._plugin import Plugin, SyncPlugin
from ._reconnect import ReconnectOptions
from ._sdk import PluginDefinition, PluginServices, define_plugin
from ._serve import serve
from ._set import PluginSet, PluginsLoad, SyncPluginSet, load_plugins
from ._tls import TlsOptions
from ._transport import ResponseStream, SyncResponseStream
from ._version import VERSION as __version__
from ._wasm import WasiDirectory, WasmLimits

__all__ = (
    "AnyplugError",
    "CallOptions",
    "Code",
    "Context",
    "Detail",
    "Discovery",
    "ExtismFunction",
    "ExtismLoad",
    "ExtismPlugin",
    "FfiOptions",
    "FoundPlugin",
    "Handler",
    "Implementation",
    "JsonTypes",
    "Limits",
    "LoadOptions",
    "LogLevel",
    "LogRecord",
    "Metadata",
    "MetadataInput",
    "MethodDescriptor",
    "MethodKind",
    "OnLog",
    "PeerInfo",
    "Plugin",
    "PluginDefinition",
    "PluginFailure",
    "PluginLoad",
    "PluginServer",
    "PluginServices",
    "PluginSet",
    "PluginSource",
    "PluginsLoad",
    "ReconnectOptions",
    "RequestStream",
    "ResponseStream",
    "ServiceDescriptor",
    "SyncExtismPlugin",
    "SyncPlugin",
    "SyncPluginSet",
    "SyncResponseStream",
    "TlsOptions",
    "TransportName",
    "WasiDirectory",
    "WasmLimits",
    "__version__",
    "define_plugin",
    "discover_plugins",
    "encode",
    "implement",
    "listen",
    "load_extism_plugin",
    "load_plugin",
    "load_plugins",
    "load_ts_plugin",
    "log",
    "register_builtin",
    "serve",
    "unimplemented",
    "unregister_builtin",
)
