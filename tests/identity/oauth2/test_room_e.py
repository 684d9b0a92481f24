"""Room E of the security contract as a list: every case has a test that names it, or a reason why it cannot occur."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.urls import get_resolver

from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import Browser, RelyingParty, error_of

HERE = Path(__file__).parent
ROOM = [f"S-{number}" for number in range(401, 456)] + ["S-513", "S-805"]
NOT_OURS = {
    "S-422": "there is no device flow",
    "S-423": "there are no user codes",
    "S-433": "no JWT of anybody else is read here: tokens are found by their hash",
    "S-436": "clients cannot authenticate with private_key_jwt",
    "S-444": "no back-channel logout is sent or received",
    "S-447": "the outpost's: it fetches keys, the provider does not",
    "S-455": "SAML is a source of people, tested in tests/identity/sources/saml; nothing of it is offered to clients",
}


@pytest.mark.parametrize("case", [case for case in ROOM if case not in NOT_OURS])
def test_every_case_is_named_by_a_test(case: str) -> None:
    """A case of the contract is covered by a test beside this file that names it."""
    named = "\n".join(file.read_text() for file in HERE.glob("test_*.py") if file.name != Path(__file__).name)
    assert re.search(rf"#.*{case}\b", named) or re.search(rf"#.*{case}\b", Path(__file__).read_text())


def test_what_is_not_offered_is_not_there(rp: RelyingParty) -> None:
    """A client that nothing was switched on for has the grants of every client, and there is no SAML."""
    # S-452
    assert rp.provider.grant_types == ["authorization_code", "refresh_token", "client_credentials"]
    routes = {str(pattern.pattern) for pattern in _patterns()}
    assert not {route for route in routes if re.search(r"saml", route)}
    assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    refused = rp.token(
        grant_type="client_credentials", client_secret=None, client_assertion="a.b.c", client_assertion_type=assertion
    )
    assert error_of(refused) == (401, "invalid_client")


def test_unverified_addresses_are_said_to_be(rp: RelyingParty, browser: Browser) -> None:
    """Nobody proved the address to us, so no claim says that somebody did."""  # S-450
    claims = rp.userinfo(rp.tokens(browser, scope="openid email")["access_token"]).json()
    assert claims["email_verified"] is False


def test_nothing_secret_is_logged(register: Register, browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    """Codes, tokens, states and secrets stand in no log line, whatever goes wrong."""  # S-454
    rp = register()
    with caplog.at_level("DEBUG"):
        code = rp.code(browser, scope="openid offline_access")
        tokens = rp.redeem(code).json()
        rp.redeem(code)
        rp.authorize(browser, redirect_uri="https://evil.test/cb")
        rp.refresh(tokens["refresh_token"])
    secrets = [code, rp.state, rp.verifier, rp.provider.client_secret, *(tokens[name] for name in _SECRETS)]
    said = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("django.db"))
    assert not [secret for secret in secrets if secret in said]


_SECRETS = ("access_token", "id_token", "refresh_token")


def _patterns() -> list[Any]:
    resolvers: list[Any] = [entry for entry in get_resolver().url_patterns if str(entry.pattern) == "application/o/"]
    return [pattern for resolver in resolvers for pattern in resolver.url_patterns]
