"""Opens encrypted assertions (XML Encryption 1.1): RSA-OAEP around a key, AES around the assertion.

AES-GCM notices when somebody alters the text. CBC does not, and what we answer could tell an attacker about the text
bit by bit; it is read only inside a response whose own signature holds, where nobody can alter anything.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from doorward.identity.sources.saml.errors import NotBelieved
from doorward.identity.sources.saml.xml import ENCRYPTION, SIGNATURE, Element, only, text

_11 = "http://www.w3.org/2009/xmlenc11#"
_GCM = {f"{_11}aes128-gcm": 16, f"{_11}aes192-gcm": 24, f"{_11}aes256-gcm": 32}
_CBC = {f"{ENCRYPTION[1:-1]}aes128-cbc": 16, f"{ENCRYPTION[1:-1]}aes256-cbc": 32}
_OAEP = (f"{ENCRYPTION[1:-1]}rsa-oaep-mgf1p", f"{_11}rsa-oaep")
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "http://www.w3.org/2000/09/xmldsig#sha1": hashes.SHA1(),  # noqa: S303 - inside OAEP, where it does no harm
    f"{ENCRYPTION[1:-1]}sha256": hashes.SHA256(),
    f"{_11}mgf1sha1": hashes.SHA1(),  # noqa: S303
    f"{_11}mgf1sha256": hashes.SHA256(),
}
_FAILED = NotBelieved("The assertion is not encrypted for the key of this source.")


def opened(element: Element, private_key_pem: str, *, unaltered: bool) -> bytes:
    """What an EncryptedAssertion holds. ``unaltered``: a signature holds over all of it. Raises NotBelieved."""
    data = only(element, f"{ENCRYPTION}EncryptedData")
    method = only(data, f"{ENCRYPTION}EncryptionMethod").get("Algorithm")
    size = _GCM.get(method) or _CBC.get(method)
    if size is None:
        raise NotBelieved("The assertion is encrypted in a way that is not safe, or not known: use AES-GCM.")
    if method in _CBC and not unaltered:
        raise NotBelieved("The assertion is encrypted with CBC: use AES-GCM, or have the response signed.")
    key = _key(element, private_key_pem)
    secret = _value(data)
    if len(key) != size:
        raise _FAILED
    try:
        if method in _GCM:
            return AESGCM(key).decrypt(secret[:12], secret[12:], None)
        opener = Cipher(algorithms.AES(key), modes.CBC(secret[:16])).decryptor()
        plain = opener.update(secret[16:]) + opener.finalize()
    except (InvalidTag, ValueError) as error:
        raise _FAILED from error
    if not plain or not 1 <= plain[-1] <= 16:
        raise _FAILED
    return plain[: -plain[-1]]


def _key(element: Element, private_key_pem: str) -> bytes:
    """The key of the assertion, which only our private key opens."""
    keys = list(element.iter(f"{ENCRYPTION}EncryptedKey"))
    private = load_pem_private_key(private_key_pem.encode(), None)
    if len(keys) != 1 or not isinstance(private, rsa.RSAPrivateKey):
        raise _FAILED
    method = only(keys[0], f"{ENCRYPTION}EncryptionMethod")
    if method.get("Algorithm") not in _OAEP:
        raise NotBelieved("The key of the assertion is encrypted in a way that is not safe: use RSA-OAEP.")
    digest = method.find(f"{SIGNATURE}DigestMethod")
    mask = method.find(f"{{{_11}}}MGF")
    hashed = hashes.SHA1() if digest is None else _HASHES.get(digest.get("Algorithm"))  # noqa: S303
    masked = hashes.SHA1() if mask is None else _HASHES.get(mask.get("Algorithm"))  # noqa: S303
    if hashed is None or masked is None:
        raise NotBelieved("The key of the assertion is encrypted with a hash that is not known here.")
    try:
        return private.decrypt(_value(keys[0]), padding.OAEP(padding.MGF1(masked), hashed, None))
    except ValueError as error:
        raise _FAILED from error


def _value(element: Element) -> bytes:
    value = only(only(element, f"{ENCRYPTION}CipherData"), f"{ENCRYPTION}CipherValue")
    try:
        return base64.b64decode("".join(text(value).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotBelieved("What is encrypted is not in base64.") from error
