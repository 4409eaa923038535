"""TLS for links over plain sockets: who is believed, by what name, and what we show of ourselves."""

import socket
import ssl
from pathlib import Path

from msgspec import Struct

HANDSHAKE_MAX_S = 5.0


class Tls(Struct, frozen=True):
    """What a link's TLS (1.2 or newer) goes by; all files are PEM.

    `authorities`: whom to believe (None: as this machine does). `certificate` and `key`: ours; a server needs them, a
    client shows them where it is asked to. `hostname`: the name that the server's certificate must hold (empty: that of
    its address). `is_verified` False believes anybody, for tests alone; `asks_client`: a server takes only clients that
    one of its `authorities` has signed for.
    """

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    hostname: str = ""
    is_verified: bool = True
    asks_client: bool = False


def secured_client(sock: socket.socket, tls: Tls, host: str) -> ssl.SSLSocket:
    """The connected socket under TLS; OSError (ssl.SSLError) where the server is not whom we believe."""
    context = client_context(tls)
    sock.settimeout(HANDSHAKE_MAX_S)
    return context.wrap_socket(sock, server_hostname=tls.hostname or host)


def client_context(tls: Tls) -> ssl.SSLContext:
    """What a client goes by; OSError (ssl.SSLError) where one of its files cannot be read or is none of its kind."""
    context = ssl.create_default_context(cafile=tls.authorities)
    if not tls.is_verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.certificate:
        context.load_cert_chain(tls.certificate, tls.key)
    return _modern(context)


def secured_server(sock: socket.socket, tls: Tls) -> ssl.SSLSocket:
    """The accepted socket under TLS; OSError where the client shows no certificate that we ask for.

    ValueError where we have none to show.
    """
    if tls.certificate is None:
        raise ValueError("a server under TLS needs `certificate` and `key`")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tls.authorities)
    context.load_cert_chain(tls.certificate, tls.key)
    if tls.asks_client:
        context.verify_mode = ssl.CERT_REQUIRED
    sock.settimeout(HANDSHAKE_MAX_S)
    return _modern(context).wrap_socket(sock, server_side=True)


def _modern(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
