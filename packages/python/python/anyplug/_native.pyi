"""The native module: connections by bytes. Nothing here is public; use the package."""

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar, final

from betterproto2 import Message

from ._error import AnyplugError
from ._ffi import FfiParts
from ._wasm import WasmParts

_M = TypeVar("_M", bound=Message)

Metadata: TypeAlias = tuple[tuple[str, str], ...]

_Pairs: TypeAlias = Sequence[tuple[str, str]]
_Status: TypeAlias = tuple[int, str, Sequence[tuple[str, bytes]], _Pairs]
"""Code (0 is success), message, details, metadata."""
_Header: TypeAlias = tuple[int | None, _Pairs, str, str, Sequence[str]]
"""Timeout in ms, metadata, traceparent, tracestate, origin."""
_LogRecord: TypeAlias = tuple[int, str, str, int, Mapping[str, str]]
"""Level, message, logger, time in ms, fields."""
_Method: TypeAlias = tuple[str, str, bool, int, str]
"""Name, kind, idempotent, default timeout in ms, required capability."""
_Service: TypeAlias = tuple[str, str, bytes, Sequence[_Method]]
"""Name, fingerprint, descriptor set, methods."""
_Options: TypeAlias = tuple[_Pairs, str, str, tuple[str, ...]]
"""Metadata, traceparent, tracestate."""
_Handler: TypeAlias = Callable[[Call, bytes | None], bytes | None]
"""Takes a call and its one request; returns the answer, or None and answers by the call later."""

class _LoadParts(Protocol):
    """What a host says about a plugin that it loads."""

    @property
    def path(self) -> PathLike[str] | str: ...
    @property
    def transport(self) -> str | None: ...
    @property
    def services(self) -> Sequence[_Service]: ...
    @property
    def expect(self) -> Sequence[_Service]: ...
    @property
    def grants(self) -> Sequence[str]: ...
    @property
    def limits(self) -> dict[str, int]: ...
    @property
    def env(self) -> Mapping[str, str]: ...
    @property
    def inherit_env(self) -> Sequence[str]: ...
    @property
    def inherit_all(self) -> bool: ...
    @property
    def env_denylist(self) -> Sequence[str]: ...
    @property
    def start_timeout(self) -> float: ...
    @property
    def tls(self) -> tuple[str, str, str, str | None] | None: ...
    @property
    def allow_plaintext(self) -> bool: ...
    @property
    def config(self) -> str: ...
    @property
    def python(self) -> str | None: ...
    @property
    def host_name(self) -> str | None: ...
    @property
    def wasm(self) -> WasmParts: ...
    @property
    def ffi(self) -> FfiParts: ...

@final
class Channel:
    """The bytes that a connection is made over."""

    @staticmethod
    def descriptors(read: int, write: int) -> Channel:
        """A channel of two descriptors, which it owns from now on."""

    @staticmethod
    def of_host() -> Channel | None:
        """The channel that the host of this process opened for it, or None when no host started it."""

    @staticmethod
    def of_json_rpc() -> Channel:
        """The channel of a host that asks what comes in JSON-RPC on the standard streams."""

    def finish(self) -> None:
        """Waits until all is written, where JSON-RPC is spoken at the other end."""

@final
class Call:
    """One end of a call whose messages stream, or that is handled."""

    def take(self) -> bytes | None:
        """Takes the next message if it has come. None: not yet, or, when `ended` is set then, no more."""

    @property
    def ended(self) -> bool: ...
    def on_readable(self, callback: Callable[[], object], /) -> bool:
        """Calls back once when `take` has something to give. True: it has already, and nothing is called."""

    def receive(self) -> bytes | None:
        """Waits for the next message; None after the last."""

    def send(self, message: bytes, last: bool, /) -> bool:
        """Sends a message, and returns whether that was possible: when not, the peer has to read first."""

    def on_writable(self, callback: Callable[[], object], /) -> bool:
        """Calls back once when `send` is possible, or the call has ended. True: it is already."""

    def send_waiting(self, message: bytes, last: bool, /) -> None:
        """Waits until the peer has room for a message, and sends it."""

    def finish(self) -> None:
        """At the caller: says that no message follows. At the callee: ends the call with success."""

    def fail(self, error: AnyplugError, /) -> None:
        """At the caller: cancels the call. At the callee: ends it with a failure."""

    @property
    def header(self) -> Metadata | None: ...
    @property
    def trailer(self) -> Metadata | None: ...
    @property
    def metadata(self) -> Metadata: ...
    @property
    def origin(self) -> tuple[str, ...]: ...
    @property
    def traceparent(self) -> str: ...
    @property
    def tracestate(self) -> str: ...
    @property
    def remaining(self) -> float | None: ...
    @property
    def cancelled(self) -> AnyplugError | None: ...
    def on_cancel(self, callback: Callable[[], object], /) -> None:
        """Calls back once, in any thread, when the call is cancelled: at once if it was."""

    def wait_cancelled(self, seconds: float | None, /) -> bool:
        """Sleeps until the call is cancelled, `seconds` at most. Returns whether it was."""

    def set_header(self, key: str, value: str, /) -> None: ...
    def set_trailer(self, key: str, value: str, /) -> None: ...

_Tls: TypeAlias = tuple[str, str, str, str | None]

def is_address(text: str) -> bool:
    """Whether a text is meant as an address, and not as the path of a plugin."""

@final
class Listener:
    """A socket that hosts connect to."""

    def __init__(self, address: str, tls: _Tls | None, allow_plaintext: bool) -> None: ...
    @property
    def address(self) -> str: ...
    def accept(self) -> Incoming | None:
        """Waits for the next host; None when the listener was closed."""

    def close(self) -> None: ...

@final
class Incoming:
    """A host that has connected, and not said anything yet."""

    def hear(self, seconds: float) -> tuple[Channel, bytes, tuple[str, str] | None, AnyplugError | None]:
        """Finds out who it is and hears its hello: the channel, what was read, plugin and configuration, a failure."""

@final
class Caller:
    """Makes calls of one method of a module, without options."""

    def __call__(self, request: object, /) -> Any:  # noqa: ANN401 - the response, bytes or None
        """Makes the call and returns its response, or its bytes where they cannot be parsed.

        None: it was not made, and is to go another way.
        """

    def soon(self, request: object, /) -> Any:  # noqa: ANN401 - the response, a future with its number, or None
        """Makes the call if its event loop has nothing else to do.

        Returns the response if it is there at once; else a future, and what `Connection.forget` takes. None: it was not
        made, and is to go another way.
        """

class Connection:
    """A connection by bytes."""

    def __init__(
        self,
        channel: Channel,
        *,
        role: str,
        name: str,
        version: str,
        runtime: str,
        services: Sequence[_Service],
        uses: Sequence[_Service],
        grants: Sequence[str] | None,
        config: str,
        limits: dict[str, int],
        handlers: Sequence[_Handler],
        on_log: Callable[[_LogRecord], object],
        heard: bytes | None = None,
    ) -> None: ...
    @staticmethod
    def load(parts: _LoadParts, handlers: Sequence[_Handler], on_log: Callable[[_LogRecord], object]) -> Connection:
        """Starts a plugin's process and makes a connection with it, which `open` waits for."""

    def again(self, handlers: Sequence[_Handler], on_log: Callable[[_LogRecord], object]) -> Connection:
        """Makes another instance of the module that this connection is to, and a connection with it."""

    @property
    def is_over(self) -> bool:
        """Whether the instance of a module takes no more calls; False of other connections."""

    @property
    def open_calls(self) -> int: ...
    @property
    def enforced(self) -> list[str]:
        """Which limits of a module are enforced, and how."""

    def open(self, timeout: float, expect: Sequence[_Service]) -> None:
        """Waits until calls can be made and the schemas fit; a plugin that does not come to that is killed."""

    @property
    def transport(self) -> str: ...
    @property
    def is_draining(self) -> bool: ...
    @property
    def peer(self) -> tuple[str, str, str, _Pairs, _Pairs] | None:
        """Name, version, runtime, services and uses (each with its fingerprint); None before its hello."""

    def negotiate(self, services: Sequence[_Service], uses: bool) -> None: ...
    def method_index(self, service: str, method: str) -> int: ...
    def log(self, level: int, logger: str, message: str, fields: Mapping[str, str]) -> None: ...
    def caller(self, method: int, default_timeout_ms: int, request: type[Any], response: type[Any]) -> Caller | None:
        """Returns what makes calls of a method from message to message, where the peer is a module; else None."""

    def call(
        self,
        method: int,
        request: bytes,
        timeout: float | None,
        default_timeout_ms: int,
        options: _Options | None = None,
        within: Call | None = None,
    ) -> bytes:
        """Calls a unary method and waits for the answer."""

    def call_soon(
        self,
        future: Future[bytes],
        method: int,
        request: bytes,
        timeout: float | None,
        default_timeout_ms: int,
        options: _Options | None = None,
        within: Call | None = None,
    ) -> int:
        """Calls a unary method and has `future` get the answer. Returns what `forget` takes."""

    def forget(self, call: int) -> None:
        """Cancels a call whose future is no longer waited for."""

    def call_stream(
        self,
        method: int,
        request: bytes | None,
        timeout: float | None,
        default_timeout_ms: int,
        options: _Options | None = None,
        within: Call | None = None,
    ) -> Call:
        """Begins a call of any kind; `request` is the one request, where requests are not streamed."""

    def work(self, spins: bool, is_main: bool, start_another: Callable[[], object]) -> bool:
        """Works as one of the connection's threads. Returns whether the connection has ended."""

    def join_loop(self, event_loop: AbstractEventLoop, tick: Callable[[], object]) -> tuple[int, int]:
        """Ties the connection to the running event loop. Returns the descriptors whose readers are to tick too."""

    def tick(self) -> int:
        """Writes, reads and works once. Returns 0; 1 when the stream has ended; 2 when all who waited know why."""

    def leave_loop(self) -> None: ...
    def fail(self, error: AnyplugError) -> None:
        """Ends the connection for a reason, which the peer is told, and closes the channel."""

    def close(self, drain_timeout: float) -> bool:
        """Lets calls in flight end, closes the channel, and stops the child. False, and nothing, in a fork."""

    def kill(self, reason: str) -> None:
        """Ends the child at once."""

    @property
    def close_reason(self) -> AnyplugError | None: ...
    @property
    def process_id(self) -> int | None: ...

class _ExtismParts(Protocol):
    """What a host says about an Extism plugin that it loads."""

    @property
    def path(self) -> str | None: ...
    @property
    def module(self) -> bytes | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def config(self) -> Mapping[str, str]: ...
    @property
    def allowed_hosts(self) -> Sequence[str]: ...
    @property
    def wasm(self) -> WasmParts: ...
    @property
    def instances(self) -> int: ...
    @property
    def max_var_bytes(self) -> int: ...
    @property
    def max_http_response_bytes(self) -> int: ...
    @property
    def functions(self) -> Mapping[str, Callable[[bytes], bytes]]: ...
    @property
    def on_log(self) -> Callable[[_LogRecord], object]: ...

@final
class Extism:
    """An Extism plugin, which any thread may call."""

    @staticmethod
    def load(parts: _ExtismParts) -> Extism:
        """Reads, checks and compiles a module, and makes an instance."""

    @property
    def name(self) -> str: ...
    @property
    def functions(self) -> list[str]: ...
    @property
    def enforced(self) -> list[str]: ...
    def call(self, function: str, data: bytes, timeout: float | None) -> bytes:
        """Calls a function in this thread; other threads go on meanwhile."""

    def close(self) -> None:
        """Takes no more calls."""

@final
class FrameDecoder:
    """Cuts bytes into frames."""

    def __init__(self, max_frame_bytes: int) -> None: ...
    def push(self, data: bytes) -> list[tuple[int, int, int, int, int, bytes]]:
        """The frames that `data` completes: offset, kind, flags, method, call, payload."""

    @property
    def error(self) -> AnyplugError | None: ...
    @property
    def offset(self) -> int: ...
    @property
    def pending_bytes(self) -> int: ...

@final
class Session:
    """One side of a connection as a state machine without I/O."""

    def __init__(
        self,
        role: str,
        *,
        name: str,
        version: str,
        runtime: str,
        services: Sequence[tuple[str, str, Sequence[str]]],
        uses: _Pairs,
        limits: dict[str, int],
        plugin: str = "",
        config: str = "",
    ) -> None: ...
    def receive(self, data: bytes) -> None: ...
    def next_event(self) -> dict[str, Any] | None: ...
    def take_output(self) -> bytes: ...
    def request(
        self, service: str, method: str, *, end: bool, payload: bytes | None = None, header: _Header | None = None
    ) -> int: ...
    def claim_call(self, payload: bytes) -> int: ...
    def adopt_call(self, call: int, size: int) -> None: ...
    def accept_call(self, call: int, index: int, has_header: bool, payload: bytes) -> int | str | None: ...
    def keep_call(self, call: int) -> None: ...
    def send_message(self, call: int, payload: bytes, end: bool, header: _Header | None = None) -> None: ...
    def half_close(self, call: int) -> None: ...
    def end_call(self, call: int, status: _Status) -> None: ...
    def cancel(self, call: int, status: _Status) -> None: ...
    def expire(self, call: int) -> None: ...
    def consume(self, call: int, size: int) -> None: ...
    def credit(self, call: int) -> int: ...
    def ping(self, payload: bytes) -> None: ...
    def log(self, record: _LogRecord) -> None: ...
    def drain(self) -> None: ...
    def fail(self, status: _Status) -> None: ...
    def closed(self, reason: _Status) -> None: ...

@final
class JsonTypes:
    """A set of message types, and their JSON."""

    def __init__(self, sets: Sequence[bytes]) -> None: ...
    def has(self, type_name: str) -> bool: ...
    def bytes_to_json(
        self, type_name: str, data: bytes, proto_field_names: bool, print_defaults: bool, enums_as_integers: bool
    ) -> str: ...
    def json_to_bytes(self, type_name: str, json: str, ignore_unknown_members: bool) -> bytes: ...

@final
class ElizaosLibrary:
    """A library with ElizaOS's C ABI."""

    @staticmethod
    def open(path: PathLike[str] | str) -> ElizaosLibrary: ...
    @property
    def file(self) -> Path: ...
    def exports(self, function: str) -> bool: ...
    def call(self, function: str, arguments: Sequence[bytes]) -> int | bytes | None:
        """An int, or the bytes that the function returned; None for a null pointer."""

    def close(self) -> None: ...

def encode_frame(kind: int, flags: int, method: int, call: int, payload: bytes) -> bytes: ...
def decode_status(data: bytes) -> _Status: ...
def encode_status(status: _Status) -> bytes: ...
def decode_header(data: bytes) -> _Header: ...
def encode_header(header: _Header) -> bytes: ...
def check_compatible(service: str, caller: bytes, callee: bytes) -> None: ...
def locate_plugin(
    path: PathLike[str] | str,
) -> tuple[str, str, str, str, str, str | None, tuple[str, ...] | None, tuple[str, ...], bool]:
    """File, folder, name, version, language, module, transports, capabilities; whether there is no plugin.json."""

def run_library(path: PathLike[str] | str) -> int:
    """The process of a plugin that is a shared library; returns the status of the process."""

def discover(
    paths: Sequence[PathLike[str] | str],
    folders: Sequence[PathLike[str] | str],
    npm: Sequence[PathLike[str] | str] | None,
    python: Sequence[PathLike[str] | str] | None,
) -> tuple[
    list[tuple[str, str, str, str, Path, Path, str | None, str, list[str]]],
    list[tuple[str | None, str, str, AnyplugError]],
]:
    """Plugins and failures: name, source and what each was found in, and then

    of plugins what `load_plugin` takes, file, folder, Python program, language, dependencies; of failures the error.
    None: do not look; nothing in the sequence: look where such plugins are by default.
    """

def register_message(message_type: type[Message], /) -> None: ...
def encode_message(message: object, /, *, deterministic: bool = False) -> bytes: ...
def decode_message(message_type: type[_M], data: bytes, /) -> _M: ...
def merge_message(message: Message, data: bytes, /) -> None: ...
