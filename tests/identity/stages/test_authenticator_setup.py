"""Setting up a factor: who may, what proves it, and what is kept."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client
from django.utils import timezone

from doorward.identity.authenticators.models import StaticDevice, StaticToken, TOTPDevice, WebAuthnDevice
from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.flows.models import FlowStageBinding
from doorward.identity.logins.models import LoginSession
from doorward.identity.stages.models import AuthenticatorTOTPStage, AuthenticatorWebAuthnStage, Stage
from identity.authenticators.soft_key import USER_PRESENT, SoftKey
from identity.factors import code_at, give_app
from identity.flow_tab import LOGIN, Tab
from identity.stages.test_authenticator_validate import passkey_options

pytestmark = pytest.mark.django_db

KINDS = ("totp", "static", "webauthn", "email")


def address(kind: str) -> str:
    return f"/flows/-/configure/{Stage.objects.get(name=f'default-authenticator-{kind}-setup').pk}/"


def begin(client: Client, kind: str, next_url: str = "") -> Tab:
    answer = client.get(address(kind), {"next": next_url} if next_url else {})
    assert answer.status_code == 302
    return Tab(client, answer["Location"])


@pytest.fixture
def browser(client: Client, login_flows: None, bob: User, password: str) -> Client:
    """bob, logged in a moment ago."""
    assert Tab(client).log_in("bob", password) == "/"
    return client


def seed_on(tab: Tab) -> str:
    found = re.search(r"secret=([A-Z2-7]+)", tab.text)
    assert found
    return found[1]


def test_an_app(browser: Client, bob: User) -> None:
    """QR code and key, the code as proof, a name; then back to where one came from."""
    tab = begin(browser, "totp")
    assert "data:image/svg+xml" in tab.text
    assert "issuer=Doorward" in tab.text

    assert tab.submit(code=code_at(time.time(), seed_on(tab)), name="My phone") == "/if/user/factors/"

    device = TOTPDevice.objects.get()
    assert (device.user, device.name) == (bob, "My phone")
    assert seed_on(tab) not in device.sealed_seed


def test_an_app_is_kept_when_it_was_proved(browser: Client) -> None:
    """A wrong code changes nothing, and the same seed waits for the right one."""  # S-512
    tab = begin(browser, "totp")
    seed = seed_on(tab)
    tab.submit(code="000000")

    assert "Code does not match" in tab.text
    assert seed_on(tab) == seed
    assert seed_on(tab.open()) == seed
    assert not TOTPDevice.objects.exists()
    assert tab.submit(code=code_at(time.time(), seed)) == "/if/user/factors/"
    assert TOTPDevice.objects.get().name == "Authenticator app"


def test_a_seed_that_waits_is_sealed(browser: Client) -> None:
    """The database never has it in the clear."""  # S-803
    seed = seed_on(begin(browser, "totp"))

    store: SessionBase = browser.session
    row = LoginSession.objects.get()
    assert seed not in row.session_data
    assert seed not in str(store.decode(row.session_data))


def test_each_set_up_has_a_seed_of_its_own(browser: Client) -> None:
    """Beginning again is beginning anew."""
    assert seed_on(begin(browser, "totp")) != seed_on(begin(browser, "totp"))


def test_somebody_else_does_not_get_the_seed_of_a_plan_that_was_left_open(
    browser: Client, mallory: User, password: str
) -> None:
    """bob has seen it; in mallory's login the page shows another."""  # S-503
    tab = begin(browser, "totp")
    seed = seed_on(tab)
    (login,) = LoginSession.objects.all()
    LoginSession.objects.filter(pk=login.pk).update(user=mallory)

    assert seed_on(tab.open()) != seed


def test_recovery_codes(browser: Client, bob: User) -> None:
    """Ten, shown until they are kept, and then never again."""  # S-514
    tab = begin(browser, "static")
    codes = re.findall(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", tab.text)
    assert len(codes) == 10
    assert not StaticToken.objects.exists()
    assert re.findall(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", tab.open().text) == codes

    assert tab.submit() == "/if/user/factors/"

    assert StaticDevice.objects.get().tokens.count() == 10
    assert not any(code in str(LoginSession.objects.get().session_data) for code in codes)
    page = begin(browser, "static")
    assert not any(code in page.text for code in codes)


def test_a_passkey(browser: Client, bob: User) -> None:
    """Made by the browser, named by its owner; the page says that it needs a script."""
    tab, key = begin(browser, "webauthn"), SoftKey()
    assert "need a browser that runs scripts" in tab.text
    assert passkey_options(tab)["authenticatorSelection"]["residentKey"] == "preferred"

    assert tab.submit(response=key.create(passkey_options(tab)), name="Laptop") == "/if/user/factors/"

    assert WebAuthnDevice.objects.get().name == "Laptop"
    exclude = passkey_options(begin(browser, "webauthn"))["excludeCredentials"]
    assert [each["id"] for each in exclude] == [WebAuthnDevice.objects.get().credential_id]


def test_a_passkey_that_deviates_is_refused(browser: Client) -> None:
    """With an event that says why; after max_attempts it ends."""  # S-515
    AuthenticatorWebAuthnStage.objects.update(max_attempts=2, user_verification="required")
    tab = begin(browser, "webauthn")
    tab.submit(response=SoftKey(flags=USER_PRESENT).create(passkey_options(tab)))
    assert "That did not work" in tab.text
    assert Event.objects.filter(action="suspicious_request").count() == 1

    answer = browser.post(tab.url, {"step": tab.hidden("step"), "response": "{}"})

    assert answer.status_code == 403
    assert not WebAuthnDevice.objects.exists()


def test_a_new_factor_makes_the_login_stronger(browser: Client) -> None:
    """So that the next one can be set up at once; the session has a new key."""  # S-527
    (before,) = LoginSession.objects.all()
    tab = begin(browser, "totp")
    tab.submit(code=code_at(time.time(), seed_on(tab)))

    (after,) = LoginSession.objects.all()
    assert after.methods == ["pwd", "otp", "mfa"]
    assert after.session_key != before.session_key
    assert "shown on this page only" in begin(browser, "static").text


@pytest.mark.parametrize("kind", KINDS)
def test_strangers_log_in_first(client: Client, login_flows: None, kind: str) -> None:
    """At both addresses."""
    for path in (address(kind), f"/if/flow/default-authenticator-{kind}-setup/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert "/flows/-/default/authentication/?next=" in answer["Location"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_login_of_yesterday_does_not_do(browser: Client, bob: User, password: str, kind: str) -> None:
    """After five minutes one logs in again, and arrives at the set-up."""  # S-512
    LoginSession.objects.update(authenticated_at=timezone.now() - timedelta(minutes=5, seconds=1))
    to = browser.get(f"/if/flow/default-authenticator-{kind}-setup/")["Location"]
    assert to == address(kind)

    again = Tab(browser, browser.get(to)["Location"])
    assert again.hidden("step")
    assert 'value="bob"' in again.text
    assert again.log_in("bob", password) == to
    assert Tab(browser, browser.get(to)["Location"]).url.startswith(f"/if/flow/default-authenticator-{kind}-setup/")


def test_a_login_that_ages_on_the_page_does_not_do_either(browser: Client) -> None:
    """What counts is the moment at which the factor would be kept."""  # S-512
    tab = begin(browser, "totp")
    LoginSession.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))

    answer = browser.post(tab.url, {"step": tab.hidden("step"), "code": code_at(time.time(), seed_on(tab))})

    assert answer["Location"] == address("totp")
    assert not TOTPDevice.objects.exists()


def test_a_login_without_the_factor_there_is_does_not_do(browser: Client, bob: User, password: str) -> None:
    """A stolen password must not be able to add a second app."""  # S-512
    give_app(bob)
    again = Tab(browser, browser.get(address("totp"))["Location"])
    again.log_in("bob", password)
    assert again.has("code")

    to = again.submit(code=code_at(time.time()))

    assert to == address("totp")
    assert "Scan this" in Tab(browser, browser.get(to)["Location"]).text


def test_a_login_flow_without_factors_does_not_go_in_circles(browser: Client, bob: User, password: str) -> None:
    """The flow never asks for bob's app: the page says so, after one try."""
    FlowStageBinding.objects.filter(stage__kind="authenticatorvalidate").delete()
    give_app(bob)
    again = Tab(browser, browser.get(address("totp"))["Location"])
    to = again.log_in("bob", password)

    answer = browser.get(to)

    assert answer.status_code == 403
    assert "needs a login with your second factor" in answer.content.decode()


def test_next_is_a_path_of_ours(browser: Client) -> None:
    """Where one goes afterwards."""  # S-529
    tab = begin(browser, "static", "/if/user/")
    assert parse_qs(urlsplit(tab.url).query)["next"] == ["/if/user/"]
    tab = begin(browser, "static", "https://evil.test/")
    assert "evil" not in tab.url


@pytest.mark.parametrize("name", ["default-authentication-login", "default-authenticator-totp-setup"])
def test_a_stage_that_cannot_be_configured_is_not_found(browser: Client, name: str) -> None:
    """Without configure_flow, and where no stage is."""
    AuthenticatorTOTPStage.objects.update(configure_flow=None)

    assert browser.get(f"/flows/-/configure/{Stage.objects.get(name=name).pk}/").status_code == 404
    assert browser.get("/flows/-/configure/00000000-0000-4000-8000-000000000000/").status_code == 404


def test_the_challenges_of_the_api(browser: Client) -> None:
    """authentik's keys: config_url, codes, registration."""
    for kind, key in (("totp", "config_url"), ("static", "codes"), ("webauthn", "registration")):
        begin(browser, kind, "/")
        url = f"/api/v3/flows/executor/default-authenticator-{kind}-setup/?query=next%3D%252F"
        challenge = browser.get(url).json()
        assert challenge["component"] == f"ak-stage-authenticator-{kind}"
        assert challenge["pending_user"] == "bob"
        assert challenge[key]
    done = browser.post(url.replace("webauthn", "static"), {}, content_type="application/json").json()
    assert done["component"] == "xak-flow-redirect"


def test_the_login_page_stays_the_first(client: Client, login_flows: None) -> None:
    """Nothing about factors is on the page for the name."""
    assert Tab(client, LOGIN).has("uid_field")
