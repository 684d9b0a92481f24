"""Signatures of an issuer: the key says how they are checked, the token says nothing."""

from __future__ import annotations

import hmac
import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from doorward.tokens import base64url
from doorward.tokens.issuer_keys import MAX_TOKEN, IssuerKeys, PublicKey
from doorward.tokens.refused import TokenRefused

EC = ECKey.generate_key("P-256")
OTHER_EC = ECKey.generate_key("P-256")
RSA = RSAKey.generate_key(2048)
ED = OKPKey.generate_key("Ed25519")


def public(kid: str, alg: str, key: Any) -> PublicKey:
    return PublicKey(kid, alg, json.dumps(key.as_dict(private=False)))


KEYS = IssuerKeys((public("ec", "ES256", EC), public("rsa", "RS256", RSA)))
ONE_KEY = IssuerKeys((public("ec", "ES256", EC),))
CLAIMS = {"sub": "bob"}


def sign(header: dict[str, Any], key: Any = EC, payload: bytes | str = json.dumps(CLAIMS)) -> str:
    registry = jws.JWSRegistry(algorithms=["ES256", "RS256", "HS256", "EdDSA"], strict_check_header=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jws.serialize_compact(header, payload, key, registry=registry)


GOOD = sign({"alg": "ES256", "kid": "ec"})


@pytest.mark.parametrize(
    ("token", "keys", "alg"),
    [
        (GOOD, KEYS, "ES256"),
        (sign({"alg": "RS256", "kid": "rsa"}, RSA), KEYS, "RS256"),
        (sign({"alg": "ES256"}), ONE_KEY, "ES256"),
        (sign({"alg": "ES256", "kid": "ec", "typ": "at+jwt"}), KEYS, "ES256"),
    ],
)
def test_good_signatures(token: str, keys: IssuerKeys, alg: str) -> None:
    """Each key verifies with its own algorithm; a lone key needs no name."""
    verified = keys.verify(token)
    assert (verified.claims, verified.alg) == (CLAIMS, alg)


def test_ed25519() -> None:
    """EdDSA keys are understood under the name that most issuers still use."""
    keys = IssuerKeys((public("ed", "EdDSA", ED),))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert keys.verify(sign({"alg": "EdDSA", "kid": "ed"}, ED)).claims == CLAIMS


def hs256_with(secret: bytes, kid: str) -> str:
    header = base64url.encode(json.dumps({"alg": "HS256", "kid": kid}).encode())
    head = f"{header}.{base64url.encode(json.dumps(CLAIMS).encode())}"
    return f"{head}.{base64url.encode(hmac.digest(secret, head.encode(), 'sha256'))}"


def unsigned(alg: str) -> str:
    header = base64url.encode(json.dumps({"alg": alg, "kid": "ec"}).encode())
    return f"{header}.{base64url.encode(json.dumps(CLAIMS).encode())}."


def resigned(change: Callable[[bytes], bytes]) -> str:
    head, _, signature = GOOD.rpartition(".")
    return f"{head}.{base64url.encode(change(base64url.decode(signature)))}"


REFUSED = {
    # S-429
    "none": unsigned("none"),
    "None": unsigned("None"),
    "no signature": GOOD.rpartition(".")[0] + ".",
    # S-430
    "public key as secret": hs256_with(RSA.as_pem(private=False), "rsa"),
    "another key's algorithm": sign({"alg": "RS256", "kid": "ec"}, RSA),
    "a stranger's key": sign({"alg": "ES256", "kid": "ec"}, OTHER_EC),
    # S-431
    "unknown kid": sign({"alg": "ES256", "kid": "../../etc/passwd"}),
    "long kid": sign({"alg": "ES256", "kid": "' OR 1=1 --" * 1000}),
    "no kid": sign({"alg": "ES256"}),
    "kid of a wrong type": base64url.encode(b'{"alg":"ES256","kid":["ec"]}') + "." + GOOD.partition(".")[2],
    # S-432
    "crit": base64url.encode(b'{"alg":"ES256","kid":"ec","crit":["exp"]}') + "." + GOOD.partition(".")[2],
    "b64": base64url.encode(b'{"alg":"ES256","kid":"ec","b64":false}') + "." + GOOD.partition(".")[2],
    "nested": sign({"alg": "ES256", "kid": "ec", "cty": "JWT"}),
    "encrypted": GOOD + ".x.y",
    "encryption header": base64url.encode(b'{"alg":"dir","enc":"A128GCM"}') + "." + GOOD.partition(".")[2],
    # S-434
    "password based": base64url.encode(b'{"alg":"PBES2-HS256+A128KW","p2c":1000000000}') + ".x.y",
    "zipped": base64url.encode(b'{"alg":"ES256","kid":"ec","zip":"DEF"}') + "." + GOOD.partition(".")[2],
    "a megabyte": GOOD + "x" * (1 << 20),
    # S-435
    "zero signature": resigned(lambda signature: bytes(64)),
    "cut signature": resigned(lambda signature: signature[:-1]),
    "longer signature": resigned(lambda signature: signature + b"\0"),
    "padded": GOOD + "=",
    "white space": GOOD + "\n",
    # no token at all
    "empty": "",
    "dots": "..",
    "not JSON": "eHg.eHg.eHg",
    "header is a list": base64url.encode(b"[]") + "." + GOOD.partition(".")[2],
    "deep header": base64url.encode(b"[" * 3000) + "." + GOOD.partition(".")[2],
    "payload is a list": sign({"alg": "ES256", "kid": "ec"}, payload="[]"),
    "payload is no JSON": sign({"alg": "ES256", "kid": "ec"}, payload=b"\xff"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_everything_else_is_refused(why: str) -> None:
    """Each known way to have a token believed that the issuer did not sign."""
    with pytest.raises(TokenRefused):
        KEYS.verify(REFUSED[why])


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c"])
def test_keys_that_a_token_brings_along_are_not_used(name: str) -> None:
    """A stranger's key in the header verifies nothing."""  # S-431
    brought: Any = OTHER_EC.as_dict(private=False) if name == "jwk" else "https://evil.test/keys"
    header = base64url.encode(json.dumps({"alg": "ES256", "kid": "ec", name: brought}).encode())
    head = f"{header}.{base64url.encode(json.dumps(CLAIMS).encode())}"
    forged = sign({"alg": "ES256", "kid": "ec"}, OTHER_EC)
    with pytest.raises(TokenRefused):
        KEYS.verify(f"{head}.{forged.rpartition('.')[2]}")


def test_size_is_the_first_check() -> None:
    """Just under the limit a token is read, just over it is not."""  # S-434
    small = sign({"alg": "ES256", "kid": "ec"}, payload=json.dumps({"sub": "b" * 12000}))
    assert len(small) <= MAX_TOKEN
    assert KEYS.verify(small).claims["sub"] == "b" * 12000
    large = sign({"alg": "ES256", "kid": "ec"}, payload=json.dumps({"sub": "b" * 12300}))
    assert len(large) > MAX_TOKEN
    with pytest.raises(TokenRefused, match="too long"):
        KEYS.verify(large)


@pytest.mark.parametrize(
    "key",
    [
        PublicKey("k", "HS256", json.dumps(OctKey.generate_key(256).as_dict())),
        PublicKey("k", "none", "{}"),
        PublicKey("k", "RS256", json.dumps(EC.as_dict(private=False))),
        PublicKey("k", "ES256", "{}"),
        PublicKey("k", "ES256", "not json"),
        PublicKey("k", "ES256", "[]"),
    ],
)
def test_keys_that_are_none(key: PublicKey) -> None:
    """Secrets and broken keys are refused when they are configured."""  # S-430
    with pytest.raises(ValueError, match="key 'k'"):
        IssuerKeys((key,))


def test_all_of_a_token_counts() -> None:
    """No character of a good token can be changed."""
    for at in range(0, len(GOOD), 3):
        for other in "AQ_":
            if GOOD[at] != other:
                with pytest.raises(TokenRefused):
                    KEYS.verify(GOOD[:at] + other + GOOD[at + 1 :])
