"""Logging in with a passkey on the first page, instead of name and password."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from doorward.identity.authenticators import relying_party
from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow
from doorward.identity.logins.models import LoginSession
from doorward.identity.stages.models import AuthenticatorValidateStage, IdentificationStage
from identity.authenticators.soft_key import USER_PRESENT, SoftKey
from identity.factors import give_app, give_key
from identity.flow_tab import LOGIN, Tab
from identity.stages.test_authenticator_validate import passkey_options

pytestmark = pytest.mark.django_db

API = "/api/v3/flows/executor/default-authentication-flow/"


@pytest.fixture
def key(login_flows: None, bob: User) -> SoftKey:
    """bob's passkey."""
    key = SoftKey()
    give_key(bob, key)
    return key


def login() -> LoginSession | None:
    return LoginSession.objects.filter(user__isnull=False).first()


def test_the_page_offers_it(client: Client, login_flows: None) -> None:
    """In the autofill of the name, behind a button, and with a sentence for browsers without scripts."""
    tab = Tab(client)

    assert 'autocomplete="username webauthn"' in tab.text
    assert "Log in with a passkey" in tab.text
    assert "data-passkey-conditional" in tab.text
    assert "<noscript>" in tab.text
    options = passkey_options(tab)
    assert (options["allowCredentials"], options["userVerification"]) == ([], "required")


def test_one_page_is_enough(client: Client, key: SoftKey, bob: User) -> None:
    """No name, no password, no second factor: the passkey is two in one."""
    give_app(bob)
    tab = Tab(client, f"{LOGIN}?next=/if/user/account/")

    assert tab.submit(uid_field="", passkey=key.get(passkey_options(tab))) == "/if/user/account/"

    logged_in = login()
    assert logged_in
    assert (logged_in.user, logged_in.methods) == (bob, ["user", "mfa"])


def test_whoever_was_named_before_does_not_matter(client: Client, key: SoftKey, mallory: User) -> None:
    """A name typed for one's neighbour, then back, then the passkey."""
    tab = Tab(client)
    tab.submit(uid_field="mallory")
    client.get("/flows/-/cancel/")
    tab.open(LOGIN)

    assert tab.submit(uid_field="mallory", passkey=key.get(passkey_options(tab))) == "/"
    logged_in = login()
    assert logged_in
    assert logged_in.user != mallory


@pytest.mark.parametrize("flaw", ["unverified", "unknown", "other origin", "old page", "nonsense"])
def test_anything_else_is_refused(client: Client, key: SoftKey, flaw: str) -> None:
    """With the same sentence each time, and one event."""  # S-515
    tab = Tab(client)
    options = passkey_options(tab)
    if flaw == "old page":
        client.get("/flows/-/cancel/")
        tab.open(LOGIN)
    if flaw == "unverified":
        key.flags = USER_PRESENT
    if flaw == "unknown":
        key.credential_id = b"x" * 32
    if flaw == "other origin":
        key.origin = "https://evil.test"
    answer = '{"id": "x"}' if flaw == "nonsense" else key.get(options)

    tab.submit(passkey=answer)

    assert "Failed to authenticate." in tab.text
    assert login() is None
    assert Event.objects.filter(action="login_failed").count() == 1


def test_an_address_that_tries_too_often_waits(key: SoftKey) -> None:
    """Thirty in five minutes; the passkey's owner is not locked out elsewhere."""  # S-506, S-509, S-917
    browser = Client(headers={"X-Forwarded-For": "192.0.2.9"})
    tab = Tab(browser)
    for _ in range(30):
        tab.submit(passkey=json.dumps({"id": "x"}))

    answer = browser.post(LOGIN, {"step": tab.hidden("step"), "passkey": "{}"})

    assert answer.status_code == 429
    assert Event.objects.filter(action="login_failed").count() == 30
    elsewhere = Tab(Client(headers={"X-Forwarded-For": "192.0.2.10"}))
    assert elsewhere.submit(passkey=key.get(passkey_options(elsewhere))) == "/"


def test_a_stage_without_passkeys_takes_none(client: Client, key: SoftKey) -> None:
    """What is not offered is not accepted."""
    options = passkey_options(Tab(client))
    for stages, change in (
        (AuthenticatorValidateStage.objects, {"device_classes": ["totp"]}),
        (IdentificationStage.objects, {"webauthn_stage": None}),
    ):
        stages.update(**change)
        tab = Tab(client)
        assert "data-passkey" not in tab.text
        tab.submit(passkey=key.get(options))
        assert login() is None


def test_an_address_is_no_place_for_passkeys(
    client: Client, login_flows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where browsers would refuse, nothing is offered."""
    monkeypatch.setattr(relying_party, "is_possible", lambda: False)

    assert "data-passkey" not in Tab(client).text


def test_strangers_leave_no_rows_but_their_session(client: Client, login_flows: None) -> None:
    """Opening the page ten times is one session."""  # S-917
    for _ in range(10):
        Tab(client)

    assert LoginSession.objects.count() == 1


def test_the_link_to_a_flow_without_passwords(client: Client, login_flows: None) -> None:
    """passwordless_flow, with the way back."""
    flow = Flow.objects.create(slug="without", name="x", title="x", designation="authentication")
    IdentificationStage.objects.update(passwordless_flow=flow)

    assert 'href="/if/flow/without/?next=%2Fif%2Fuser%2F"' in Tab(client, f"{LOGIN}?next=/if/user/").text
    assert client.get(API).json()["passwordless_url"] == "/if/flow/without/"


def test_the_api_takes_an_object(client: Client, key: SoftKey) -> None:
    """passkey_challenge out, passkey in."""  # C11
    challenge: dict[str, Any] = client.get(API).json()

    answer = client.post(
        API,
        {
            "component": "ak-stage-identification",
            "uid_field": None,
            "passkey": json.loads(key.get(challenge["passkey_challenge"])),
        },
        content_type="application/json",
    )

    assert answer.json()["component"] == "xak-flow-redirect"
    assert login()
