"""The certificate that a client proved to have, out of a finished handshake."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any


def client_chain(connection: ssl.SSLObject | ssl.SSLSocket) -> tuple[bytes, ...]:
    """The client's certificate (DER) and those of its issuers that it sent along; empty when it showed none.

    A client may send certificates that have nothing to do with its own. Only the verified ones are taken: nobody
    passes for somebody by a copy of his certificate behind one's own.
    """
    leaf = connection.getpeercert(True)
    if not leaf:
        return ()
    verified = set(_chain(connection, "get_verified_chain"))
    sent = (der for der in _chain(connection, "get_unverified_chain") if der in verified)
    return tuple(dict.fromkeys((leaf, *sent)))


def _chain(connection: Any, question: str) -> Iterable[bytes]:
    """Public since Python 3.13; before, the same two questions are asked of the object behind."""
    ask = getattr(connection, question, None) or getattr(getattr(connection, "_sslobj", None), question, None)
    for certificate in (ask() if ask is not None else None) or ():
        yield certificate if isinstance(certificate, bytes) else certificate.public_bytes(_DER)


_DER = 2
"""``_ssl.ENCODING_DER``."""
