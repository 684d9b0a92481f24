"""How messages of SAML travel (bindings, sections 3.4 and 3.5): in a URL, deflated, or in a form's field."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from urllib.parse import quote_plus, unquote, urlsplit

from doorward.identity.sources.saml import signature
from doorward.identity.sources.saml.errors import NotBelieved, NotSigned
from doorward.identity.sources.saml.xml import LARGEST

REQUEST, RESPONSE = "SAMLRequest", "SAMLResponse"


def in_url(to: str, name: str, message: bytes, relay_state: str, key_pem: str = "", algorithm: str = "") -> str:
    """The URL that carries ``message``, signed where there is a key."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = deflater.compress(message) + deflater.flush()
    parts = [f"{name}={quote_plus(base64.b64encode(deflated))}"]
    if relay_state:
        parts.append(f"RelayState={quote_plus(relay_state)}")
    if key_pem:
        parts.append(f"SigAlg={quote_plus(algorithm)}")
        signed = signature.made(key_pem, algorithm, "&".join(parts).encode())
        parts.append(f"Signature={quote_plus(base64.b64encode(signed))}")
    return f"{to}{'&' if urlsplit(to).query else '?'}{'&'.join(parts)}"


def in_field(message: bytes) -> str:
    """The value of the form's field."""
    return base64.b64encode(message).decode()


def from_field(value: str) -> bytes:
    """The message of a form's field. Raises NotBelieved."""
    return _decoded(value)


def from_url(raw_query: str, name: str, keys: Sequence[signature.PublicKey]) -> bytes:
    """The message of a URL that must be signed. Raises NotBelieved, NotSigned.

    The signature is over the parameters as the sender wrote them, in this order: nothing is decoded and encoded again.
    """
    raw = dict(part.partition("=")[::2] for part in reversed(raw_query.split("&")))
    if len(raw) != len(raw_query.split("&")):
        raise NotBelieved("A parameter is there twice.")
    if not raw.get("Signature") or not raw.get("SigAlg") or name not in raw:
        raise NotSigned("The message is not signed.")
    over = "&".join(f"{part}={raw[part]}" for part in (name, "RelayState", "SigAlg") if part in raw)
    value = _decoded(_text(raw["Signature"]))
    if not any(signature.holds(key, _text(raw["SigAlg"]), value, over.encode()) for key in keys):
        raise NotSigned("The signature does not hold with the certificate of this source.")
    return inflated(_decoded(_text(raw[name])))


def parameters(raw_query: str) -> Mapping[str, str]:
    """The parameters of a URL, nothing judged."""
    return {name: _text(value) for name, _, value in (part.partition("=") for part in raw_query.split("&"))}


def inflated(deflated: bytes) -> bytes:
    """A message, never more than it may have (a small one can hold gigabytes). Raises NotBelieved."""
    inflater = zlib.decompressobj(-15)
    try:
        message = inflater.decompress(deflated, LARGEST + 1)
    except zlib.error as error:
        raise NotBelieved("The message is not deflated.") from error
    if len(message) > LARGEST or inflater.unconsumed_tail:
        raise NotBelieved("The message is too large.")
    return message


def _text(value: str) -> str:
    return unquote(value.replace("+", " "))


def _decoded(value: str) -> bytes:
    if len(value) > 2 * LARGEST:
        raise NotBelieved("The message is too large.")
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotBelieved("The message is not in base64.") from error
