"""The server under test.

It tells the runner where the client finds the plugin: an address, at which this program serves it, or the folder from
which the client starts it.
"""

import signal
import tempfile
from pathlib import Path

import rpc_conformance_plugin
from anyplug import TlsOptions, listen
from rpc_conformance_generated.connectrpc.conformance.v1 import ServerCompatRequest, ServerCompatResponse
from rpc_conformance_plugin import MAX_MESSAGE_BYTES, plugin

from ._delimited import read_message, write_message

__all__ = ("CERTIFICATES", "run")

CERTIFICATES = Path(__file__).parents[3] / "certificates"
"""The certificates of the repository's tests."""


def run(transport: str) -> None:
    """Runs until the runner ends it."""
    # Before anything has a thread: they all leave the signal to this one.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    request = read_message(ServerCompatRequest)
    if request is None or request.message_receive_limit != MAX_MESSAGE_BYTES:
        raise SystemExit(f"the runner asks for {request}")
    if request.use_tls:
        _serve("tls://127.0.0.1:0", _tls_options(request))
    elif transport == "tcp":
        _serve("tcp://127.0.0.1:0")
    elif transport == "unix":
        with tempfile.TemporaryDirectory(prefix="anyplug-rpc-conformance-") as folder:
            _serve(f"unix:{folder}/plugin.sock")
    else:
        _report(str(Path(rpc_conformance_plugin.__file__).parent))
        signal.sigwait([signal.SIGTERM])


def _serve(address: str, tls: TlsOptions | None = None) -> None:
    with listen(plugin, address, tls=tls) as server:
        _report(server.address, str(tls.certificate) if tls else "")
        signal.sigwait([signal.SIGTERM])


def _tls_options(request: ServerCompatRequest) -> TlsOptions:
    """Both sides always show a certificate.

    The runner gives one to the server, and where the suite is about that, one to the client.
    """
    assert request.server_creds is not None
    ca = request.client_tls_cert.decode() or CERTIFICATES / "authority.pem"
    return TlsOptions(certificate=request.server_creds.cert.decode(), key=request.server_creds.key.decode(), ca=ca)


def _report(host: str, certificate: str = "") -> None:
    # The runner wants a port; that of an address is part of it.
    write_message(ServerCompatResponse(host=host, port=1, pem_cert=certificate.encode()))
