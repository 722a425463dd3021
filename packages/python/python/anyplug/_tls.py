"""Certificates for addresses ``tls://``."""

from __future__ import annotations

import os
from dataclasses import dataclass

__all__ = ("TlsOptions",)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """The certificates of one side of a connection by mutual TLS. Each is PEM, or the path of a file that holds it."""

    certificate: str | os.PathLike[str]
    """This side's certificate, with those between it and the authority."""
    key: str | os.PathLike[str]
    """The key of the certificate."""
    ca: str | os.PathLike[str]
    """The authority that the peer's certificate has to be of."""
    server_name: str | None = None
    """The name that the certificate of a plugin has to bear. None: the host of the address."""

    def __repr__(self) -> str:
        """The key is not shown."""
        return f"TlsOptions(server_name={self.server_name!r})"


def tls_parts(options: TlsOptions | None) -> tuple[str, str, str, str | None] | None:
    """Returns the certificates as the native module takes them."""
    if options is None:
        return None
    certificate, key, ca = (os.fspath(part) for part in (options.certificate, options.key, options.ca))
    return certificate, key, ca, options.server_name
