"""The one shape of signature that SAML has (core, section 5.4): what was signed is what is read.

    element ──► its own Signature child ──► SignedInfo, checked with a known key ──► the element's digest
                                                                                       │
                         the caller gets the bytes that were hashed, parsed anew ◄─────┘

Keys come from settings, never out of the message. Where there are several elements with the ID that was signed, more
than one reference, another transform, or anything else that such a signature does not need, it does not count.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from doorward.identity.sources.saml.errors import NotBelieved, NotSigned
from doorward.identity.sources.saml.xml import SIGNATURE, Element, canonical, only, parse, text

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
DIGESTS = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    f"{_MORE}sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
METHODS: dict[str, tuple[str, Any]] = {
    f"{_MORE}rsa-sha256": ("rsa", hashes.SHA256()),
    f"{_MORE}rsa-sha384": ("rsa", hashes.SHA384()),
    f"{_MORE}rsa-sha512": ("rsa", hashes.SHA512()),
    f"{_MORE}ecdsa-sha256": ("ec", hashes.SHA256()),
    f"{_MORE}ecdsa-sha384": ("ec", hashes.SHA384()),
    f"{_MORE}ecdsa-sha512": ("ec", hashes.SHA512()),
}
"""SHA-1 and DSA are not among them."""

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def keys_of(certificates_pem: str) -> list[PublicKey]:
    """The public keys of certificates, all in one text. Raises NotSigned for keys that do not count."""
    try:
        certificates = x509.load_pem_x509_certificates(certificates_pem.encode())
    except ValueError as error:
        raise NotSigned("The certificate to check signatures with cannot be read.") from error
    found: list[PublicKey] = []
    for certificate in certificates:
        key = certificate.public_key()
        if (isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048) or isinstance(key, ec.EllipticCurvePublicKey):
            found.append(key)
        else:
            raise NotSigned("Signatures are checked with RSA keys of at least 2048 bits, or elliptic curves.")
    return found


def is_signed(element: Element) -> bool:
    """Whether it carries a signature of its own."""
    return element.find(f"{SIGNATURE}Signature") is not None


def verified(element: Element, keys: Sequence[PublicKey]) -> Element:
    """The element as it was signed, in a document of its own. Raises NotSigned, NotBelieved."""
    signature = only(element, f"{SIGNATURE}Signature")
    if {child.tag for child in signature} - {
        f"{SIGNATURE}{name}" for name in ("SignedInfo", "SignatureValue", "KeyInfo")
    }:
        raise NotSigned("The signature holds more than one.")
    written = only(signature, f"{SIGNATURE}SignedInfo")
    method = only(written, f"{SIGNATURE}CanonicalizationMethod")
    form = canonical(written, _prefixes(method))
    # Read from what is signed itself: a comment in it changes nothing, and is not there any more.
    info = parse(form)
    if only(info, f"{SIGNATURE}CanonicalizationMethod").get("Algorithm") != EXCLUSIVE:
        raise NotSigned("The signature is not over the exclusive canonical form.")
    algorithm = only(info, f"{SIGNATURE}SignatureMethod").get("Algorithm")
    value = _bytes(only(signature, f"{SIGNATURE}SignatureValue"))
    if not any(holds(key, algorithm, value, form) for key in keys):
        raise NotSigned("The signature does not hold with the certificate of this source.")
    prefixes, digest_name, digest = _reference(info, element)
    _take_away(signature)
    signed = canonical(element, prefixes)
    if not hmac.compare_digest(hashlib.new(digest_name, signed).digest(), digest):
        raise NotSigned("The signature is for something else than what it stands in.")
    return parse(signed)


def holds(key: PublicKey, algorithm: str | None, signature: bytes, data: bytes) -> bool:
    """Whether ``key`` has made ``signature`` over ``data``."""
    if algorithm not in METHODS:
        raise NotSigned(f"Signatures with {algorithm} do not count.")
    kind, digest = METHODS[algorithm]
    try:
        if isinstance(key, rsa.RSAPublicKey) and kind == "rsa":
            key.verify(signature, data, padding.PKCS1v15(), digest)
            return True
        if isinstance(key, ec.EllipticCurvePublicKey) and kind == "ec":
            key.verify(_as_der(signature, key), data, ec.ECDSA(digest))
            return True
    except (InvalidSignature, ValueError):
        return False
    return False


def made(private_key_pem: str, algorithm: str, data: bytes) -> bytes:
    """A signature over ``data``. Raises ValueError for a key that does not go with the algorithm."""
    kind, digest = METHODS[algorithm]
    key = load_pem_private_key(private_key_pem.encode(), None)
    if isinstance(key, rsa.RSAPrivateKey) and kind == "rsa":
        return key.sign(data, padding.PKCS1v15(), digest)
    if isinstance(key, ec.EllipticCurvePrivateKey) and kind == "ec":
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
        size = (key.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    raise ValueError("This key does not sign with this algorithm.")


def signed(raw: bytes, private_key_pem: str, certificate_pem: str, algorithm: str, digest: str) -> bytes:
    """The message ``raw`` with a signature of its root, after the Issuer, where the schema has it."""
    root = parse(raw)
    hashed = base64.b64encode(hashlib.new(DIGESTS[digest], canonical(root)).digest()).decode()
    der = x509.load_pem_x509_certificate(certificate_pem.encode()).public_bytes(Encoding.DER)
    info = (
        f'<ds:SignedInfo xmlns:ds="{SIGNATURE[1:-1]}"><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
        f'<ds:SignatureMethod Algorithm="{algorithm}"/><ds:Reference URI="#{root.get("ID")}"><ds:Transforms>'
        f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXCLUSIVE}"/></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue>{hashed}</ds:DigestValue></ds:Reference>'
        "</ds:SignedInfo>"
    )
    value = base64.b64encode(made(private_key_pem, algorithm, canonical(parse(info.encode())))).decode()
    whole = (
        f'<ds:Signature xmlns:ds="{SIGNATURE[1:-1]}">{info}<ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo>'
        f"<ds:X509Data><ds:X509Certificate>{base64.b64encode(der).decode()}</ds:X509Certificate></ds:X509Data>"
        "</ds:KeyInfo></ds:Signature>"
    )
    root.insert(1, parse(whole.encode()))
    return canonical(root)


def _reference(info: Element, element: Element) -> tuple[list[str] | None, str, bytes]:
    """How the element is written before it is hashed, the hash's name, and the hash."""
    reference = only(info, f"{SIGNATURE}Reference")
    identifier = element.get("ID")
    if not identifier or reference.get("URI") != f"#{identifier}":
        raise NotSigned("The signature is for another element than the one that it stands in.")
    if sum(1 for other in element.getroottree().iter() if identifier in _ids(other)) != 1:
        raise NotSigned("Several elements have the identifier that is signed.")
    transforms = only(reference, f"{SIGNATURE}Transforms").findall("*")
    if [transform.get("Algorithm") for transform in transforms] != [ENVELOPED, EXCLUSIVE] or any(
        transform.tag != f"{SIGNATURE}Transform" for transform in transforms
    ):
        raise NotSigned("What is signed is transformed in ways that SAML does not have.")
    name = DIGESTS.get(only(reference, f"{SIGNATURE}DigestMethod").get("Algorithm"))
    if name is None:
        raise NotSigned("The digest of the signature is none that counts.")
    return _prefixes(transforms[1]), name, _bytes(only(reference, f"{SIGNATURE}DigestValue"))


def _ids(element: Element) -> set[str]:
    """In any spelling that some reader takes for an identifier."""
    return {value for name, value in element.attrib.items() if name.rpartition("}")[2].lower() == "id"}


def _prefixes(method: Element) -> list[str] | None:
    listed = method.find(f"{{{EXCLUSIVE}}}InclusiveNamespaces")
    return (listed.get("PrefixList") or "").split() or None if listed is not None else None


def _take_away(signature: Element) -> None:
    """Remove the signature and keep the text behind it."""
    parent, before, tail = signature.getparent(), signature.getprevious(), signature.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(signature)


def _bytes(element: Element) -> bytes:
    try:
        return base64.b64decode("".join(text(element).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotBelieved("A value of the signature is not in base64.") from error


def _as_der(signature: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    size = (key.key_size + 7) // 8
    if len(signature) != 2 * size:
        raise ValueError("a signature of another length")
    return utils.encode_dss_signature(int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))
