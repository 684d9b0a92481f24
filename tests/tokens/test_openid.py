"""What the claims of a verified token must say."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.tokens.issuer_keys import Verified
from doorward.tokens.openid import Expected, check_access_token, check_id_token, token_hash
from doorward.tokens.refused import TokenRefused

NOW = 1_800_000_000.0
EXPECTED = Expected("https://issuer.test/", "client", "nonce", NOW)
ACCESS = "the.access.token"
GOOD: dict[str, Any] = {
    "iss": "https://issuer.test/",
    "aud": "client",
    "sub": "bob",
    "exp": NOW + 3600,
    "iat": NOW,
    "nonce": "nonce",
}


def check(**changes: Any) -> None:
    claims = {name: value for name, value in {**GOOD, **changes}.items() if value != "absent"}
    check_id_token(Verified(claims, "ES256"), EXPECTED, ACCESS)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": ["client"], "azp": "client"},
        {"aud": ["other", "client"], "azp": "client"},
        {"exp": NOW - 59},
        {"exp": NOW + 0.5},
        {"iat": NOW + 60},
        {"iat": NOW - 299},
        {"nbf": NOW + 60},
        {"at_hash": token_hash(ACCESS, "ES256")},
    ],
)
def test_good_claims(changes: dict[str, Any]) -> None:
    """Within a minute of clock difference, for this client, with or without the optional claims."""
    check(**changes)


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("iss", {"iss": "https://issuer.test"}),
        ("iss", {"iss": "absent"}),
        ("iss", {"iss": ["https://issuer.test/"]}),
        ("aud", {"aud": "other"}),
        ("aud", {"aud": []}),
        ("aud", {"aud": "absent"}),
        ("aud", {"aud": "client2"}),
        ("azp", {"aud": ["client", "other"]}),
        ("azp", {"azp": "other"}),
        ("sub", {"sub": "absent"}),
        ("sub", {"sub": ""}),
        ("sub", {"sub": 7}),
        ("exp", {"exp": "absent"}),
        ("exp", {"exp": NOW - 60}),
        ("exp", {"exp": "1900000000"}),
        ("exp", {"exp": True}),
        ("exp", {"exp": -1}),
        ("exp", {"exp": float("inf")}),
        ("exp", {"exp": float("nan")}),
        ("exp", {"exp": [NOW]}),
        ("iat", {"iat": "absent"}),
        ("iat", {"iat": NOW + 61}),
        ("iat", {"iat": NOW - 300}),
        ("nbf", {"nbf": NOW + 61}),
        ("nbf", {"nbf": "soon"}),
        ("nonce", {"nonce": "other"}),
        ("nonce", {"nonce": "absent"}),
        ("nonce", {"nonce": 1}),
        ("at_hash", {"at_hash": "x"}),
        ("at_hash", {"at_hash": None}),
    ],
)
def test_bad_claims(part: str, changes: dict[str, Any]) -> None:
    """Each is refused by the name of the claim that is wrong."""  # S-334, S-433
    with pytest.raises(TokenRefused) as refused:
        check(**changes)
    assert refused.value.part == part


def test_access_tokens() -> None:
    """They need no nonce and may be old; their expiry is what counts."""
    claims = {name: value for name, value in GOOD.items() if name != "nonce"}
    assert check_access_token(Verified({**claims, "iat": NOW - 3000}, "ES256"), EXPECTED) == NOW + 3600
    with pytest.raises(TokenRefused):
        check_access_token(Verified({**claims, "aud": "other"}, "ES256"), EXPECTED)


def test_at_hash_of_the_specification() -> None:
    """The example of OpenID Connect Core appendix A.3."""
    token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert token_hash(token, "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"
