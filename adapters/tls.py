"""TLS as every protocol of ours uses it: contexts from files, and what a verified certificate proves of its holder.

Source: RFC 8446, RFC 5246 (1.2 is the oldest taken), RFC 5280 (names), RFC 9325 (recommendations).
"""

import contextlib
import hashlib
import socket
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from schemas.faults import Internal

log = structlog.get_logger()
_GOODBYE_S = 1.0


def server_context(certificate: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """For a listener. client_ca: peers must come with a certificate that these authorities signed.

    Raises Internal, naming the setting, where a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _prepare(context, certificate, key, client_ca)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(ca: Path | None = None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """For a connection of ours. ca: whom to trust, this machine's authorities where None. certificate: our own, if
    the peer may ask for it. Names are checked. Raises Internal where a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _prepare(context, certificate, key, ca)
    if ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def _prepare(context: ssl.SSLContext, certificate: Path | None, key: Path | None, ca: Path | None) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A peer that may renegotiate or compress gains nothing here, and both have been ways in.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    # Many peers hang up without TLS's goodbye. What ends too early is told by the protocols' own frames.
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    try:
        if certificate:
            # Without a password's prompt: a process that waits for a terminal never starts.
            context.load_cert_chain(certificate, key, password="")
        if ca:
            context.load_verify_locations(ca)
    except (OSError, ValueError) as error:
        raise Internal("the TLS certificate, its key or the authority cannot be used", where="DXHUB_TLS") from error


def shake_hands(line: ssl.SSLSocket, timeout_s: float) -> bool:
    """The handshake as a server; False, and logged without anything of the peer's, where there is no agreement."""
    line.settimeout(timeout_s)
    try:
        line.do_handshake()
    except OSError as error:
        log.warning("tls.refused", reason=refusal(error))
        return False
    return True


def refusal(error: OSError) -> str:
    """Why there was no agreement, without anything of the peer's."""
    return getattr(error, "verify_message", "") or getattr(error, "reason", "") or type(error).__name__


def stop_reading(line: socket.socket) -> None:
    """Wakes whoever reads from the line, as if the peer had hung up; what is being written may be finished.

    Not by the method of an SSLSocket: that one forgets the encryption, and what is written next would go in clear.
    """
    with contextlib.suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RD)


def hang_up(line: socket.socket) -> None:
    """Says that nothing more will be written: with TLS's own goodbye first, where there was a handshake."""
    with contextlib.suppress(OSError, ValueError):
        if isinstance(line, ssl.SSLSocket) and line.version() is not None:
            line.settimeout(_GOODBYE_S)
            line.unwrap()
    with contextlib.suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_WR)


def identities(line: ssl.SSLSocket | ssl.SSLObject) -> frozenset[str]:
    """What the peer's verified certificate proves: `cn:`, `dns:`, `ip:`, `uri:`, `email:` and its `sha256:`.

    Empty where the peer showed none. Names in lower case, the fingerprint in hexadecimal.
    """
    encoded = line.getpeercert(binary_form=True)
    decoded = line.getpeercert()
    if not encoded or not decoded:
        return frozenset()
    return frozenset([f"sha256:{hashlib.sha256(encoded).hexdigest()}", *_names(decoded)])


_KINDS = {"DNS": "dns", "IP Address": "ip", "URI": "uri", "email": "email"}


def _names(certificate: Mapping[str, object]) -> Iterator[str]:
    subject, others = certificate.get("subject", ()), certificate.get("subjectAltName", ())
    assert isinstance(subject, tuple)
    assert isinstance(others, tuple)
    for attributes in subject:
        for name, value in attributes:
            if name == "commonName":
                yield f"cn:{value.lower()}"
    for kind, value in others:
        if kind in _KINDS:
            yield f"{_KINDS[kind]}:{value.lower()}"
