"""The second factor at a login: asked of those who have one, and never to be walked around."""

from __future__ import annotations

import json
import re
import time
from html import unescape
from typing import Any

import pytest
from django.test import Client

from doorward.identity.authenticators.models import RememberedDevice, TOTPDevice
from doorward.identity.authenticators.throttle import throttle
from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import Token, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.logins.models import LoginSession
from doorward.identity.stages.models import (
    AuthenticatorTOTPStage,
    AuthenticatorValidateStage,
    AuthenticatorWebAuthnStage,
)
from identity.authenticators.soft_key import USER_PRESENT, SoftKey
from identity.factors import code_at, give_app, give_codes, give_key
from identity.flow_tab import LOGIN, Tab

pytestmark = pytest.mark.django_db

API = "/api/v3/flows/executor/default-authentication-flow/"


def passkey_options(tab: Tab) -> dict[str, Any]:
    """What the page's script would hand to the browser."""
    found = re.search(r'data-passkey-options="([^"]+)"', tab.response.content.decode())
    assert found, tab.text
    options: dict[str, Any] = json.loads(unescape(found[1]))
    return options


def after_password(client: Client, username: str, password: str) -> Tab:
    tab = Tab(client)
    assert tab.log_in(username, password) == LOGIN, "nobody is logged in by a password alone"
    return tab


def logins() -> list[LoginSession]:
    return list(LoginSession.objects.filter(user__isnull=False))


def test_without_a_factor_nothing_is_asked(client: Client, login_flows: None, bob: User, password: str) -> None:
    """not_configured_action skip."""
    assert Tab(client).log_in("bob", password) == "/"
    assert logins()[0].methods == ["pwd"]


def test_password_and_app(client: Client, login_flows: None, bob: User, password: str) -> None:
    """Then the login knows both, and says so in its event."""
    give_app(bob)
    tab = after_password(client, "bob", password)
    assert "Code from your authenticator app" in tab.text

    assert tab.submit(code=code_at(time.time())) == "/"

    assert logins()[0].methods == ["pwd", "otp", "mfa"]
    assert Event.objects.get(action="login").context["amr"] == ["pwd", "otp", "mfa"]


def test_password_and_recovery_code(client: Client, login_flows: None, bob: User, password: str) -> None:
    """In a field of its own, because a phone's keyboard for codes has digits only."""
    give_app(bob)
    _, codes = give_codes(bob)
    tab = after_password(client, "bob", password)

    assert tab.submit(code="", recovery_code=codes[3]) == "/"


def test_password_and_key(client: Client, login_flows: None, bob: User, password: str) -> None:
    """As a second factor a key need not verify its user."""
    key = SoftKey()
    give_key(bob, key)
    tab = after_password(client, "bob", password)
    key.flags = USER_PRESENT

    assert tab.submit(webauthn=key.get(passkey_options(tab))) == "/"

    assert logins()[0].methods == ["pwd", "user", "mfa"]


def test_a_key_verifies_its_user_where_the_stage_says_so(
    client: Client, login_flows: None, bob: User, password: str
) -> None:
    """webauthn_user_verification required."""  # S-515
    AuthenticatorValidateStage.objects.update(webauthn_user_verification="required")
    key = SoftKey(flags=USER_PRESENT)
    give_key(bob, key)
    tab = after_password(client, "bob", password)

    tab.submit(webauthn=key.get(passkey_options(tab)))

    assert "That did not work" in tab.text
    assert not logins()
    assert "InvalidAuthenticationResponse" in Event.objects.get(action="login_failed").context["reason"]


@pytest.mark.parametrize(
    "path",
    [
        "/if/user/",
        "/if/user/account/",
        "/if/admin/",
        "/api/v3/core/users/me/",
        "/application/launch/whoami/",
        "/flows/-/configure/00000000-0000-4000-8000-000000000000/",
    ],
)
def test_half_a_login_is_none(client: Client, login_flows: None, bob: User, password: str, path: str) -> None:
    """After the password, nothing that needs a login opens."""  # S-513
    give_app(bob)
    after_password(client, "bob", password)

    answer = client.get(path)

    assert answer.status_code in {302, 403, 404}
    if answer.status_code == 302:
        assert "/flows/-/default/authentication/" in answer["Location"] or "/if/flow/" in answer["Location"]
    assert not logins()


def test_authorize_does_not_take_half_a_login(client: Client, whoami: Any, bob: User, password: str) -> None:
    """An application's request in the middle of it leads back into the login, never to a code."""  # S-513
    give_app(bob)
    provider = whoami.provider.concrete() if hasattr(whoami.provider, "concrete") else whoami.provider
    asked = {
        "client_id": provider.oauth2provider.client_id,
        "redirect_uri": "https://app.example.test/outpost.goauthentik.io/callback?X-authentik-auth-callback=true",
        "response_type": "code",
        "scope": "openid",
        "state": "s",
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
    }
    after_password(client, "bob", password)

    answer = client.get("/application/o/authorize/", asked)

    assert answer.status_code == 302
    assert "/if/flow/default-authentication-flow/" in answer["Location"]


@pytest.mark.parametrize(
    "answer",
    [{}, {"password": "x"}, {"uid_field": "bob"}, {"code": ""}, {"token": "x"}, {"remember_me": "true"}],
)
def test_no_other_answer_passes(
    client: Client, login_flows: None, bob: User, password: str, answer: dict[str, str]
) -> None:
    """Empty, of another stage, or of an earlier one."""  # S-501
    give_app(bob)
    tab = after_password(client, "bob", password)

    tab.submit(**answer)

    assert tab.has("code")
    assert not logins()


def test_an_earlier_page_cannot_be_answered_again(client: Client, login_flows: None, bob: User, password: str) -> None:
    """The password page's form, sent a second time, does not skip this one."""  # S-501
    give_app(bob)
    tab = Tab(client)
    tab.submit(uid_field="bob")
    password_step = tab.hidden("step")
    tab.submit(password=password)

    client.post(LOGIN, {"step": password_step, "password": password})

    assert tab.open().has("code")
    assert not logins()


def test_a_code_logs_in_once(client: Client, login_flows: None, bob: User, password: str) -> None:
    """In another browser the same code is wrong."""  # S-510
    give_app(bob)
    code = code_at(time.time())
    assert after_password(client, "bob", password).submit(code=code) == "/"

    second = after_password(Client(), "bob", password)
    second.submit(code=code)

    assert "Invalid Token" in second.text
    assert len(logins()) == 1


def test_five_wrong_codes_cancel_the_login(client: Client, login_flows: None, bob: User, password: str) -> None:
    """Back to the name, with a sentence; the right code comes too late."""  # S-511
    give_app(bob)
    tab = after_password(client, "bob", password)
    for number in range(5):
        tab.submit(code=f"00000{number}")

    assert "Too many wrong codes. Log in again." in tab.text
    assert tab.has("uid_field")
    assert Event.objects.filter(action="login_failed", context__stage="default-authentication-mfa-validation").exists()


def test_ten_wrong_codes_an_hour_suspend_codes_but_not_keys(login_flows: None, bob: User, password: str) -> None:
    """Over as many logins as one likes; a key still lets its owner in."""  # S-509, S-511
    give_app(bob)
    _, codes = give_codes(bob)
    key = SoftKey()
    give_key(bob, key)
    for attempt in range(2):
        tab = after_password(Client(), "bob", password)
        for number in range(5):
            tab.submit(code=f"0000{attempt}{number}")

    tab = after_password(Client(), "bob", password)
    tab.submit(code="", recovery_code=codes[0])
    assert "codes do not work for up to an hour" in tab.text
    assert not logins()

    assert tab.submit(webauthn=key.get(passkey_options(tab))) == "/"


def test_another_users_key_is_no_second_factor(
    client: Client, login_flows: None, bob: User, mallory: User, password: str
) -> None:
    """mallory knows bob's password and has a key of her own."""  # S-516
    give_key(bob, SoftKey())
    hers = SoftKey()
    give_key(mallory, hers)
    tab = after_password(client, "bob", password)

    tab.submit(webauthn=hers.get(passkey_options(tab)))

    assert not logins()
    assert Event.objects.get(action="login_failed").context["reason"] == "the credential is another user's"


def test_an_answer_for_another_tab_is_refused(client: Client, login_flows: None, bob: User, password: str) -> None:
    """Challenges belong to one plan of one session."""  # S-515
    key = SoftKey()
    give_key(bob, key)
    other = passkey_options(after_password(Client(), "bob", password))
    tab = after_password(client, "bob", password)

    tab.submit(webauthn=key.get(other))

    assert not logins()


def test_only_the_listed_classes_are_taken(client: Client, login_flows: None, bob: User, password: str) -> None:
    """An app where only keys are: it is as if bob had none."""
    AuthenticatorValidateStage.objects.update(device_classes=["webauthn"], not_configured_action="deny")
    give_app(bob)
    tab = Tab(client)
    tab.submit(uid_field="bob")

    denied = client.post(LOGIN, {"step": tab.hidden("step"), "password": password})

    assert denied.status_code == 403
    assert "You need a second factor" in denied.content.decode()
    assert not logins()


def test_a_name_alone_does_not_tell_which_factors_somebody_has(login_flows: None, bob: User) -> None:
    """Wrong passwords look the same with and without a factor."""  # S-504
    pages = []
    for _ in range(2):
        tab = Tab(Client())
        tab.submit(uid_field="bob")
        tab.submit(password="wrong wrong")
        pages.append(re.sub(r'value="[^"]+"', "", tab.text))
        give_app(bob) if not TOTPDevice.objects.exists() else None

    assert pages[0] == pages[1]


def test_who_was_deactivated_meanwhile_is_refused(client: Client, login_flows: None, bob: User, password: str) -> None:
    """Between password and code."""
    give_app(bob)
    tab = after_password(client, "bob", password)
    directory.update_user(Actor.system(), bob, is_active=False)

    answer = client.post(LOGIN, {"step": tab.hidden("step"), "code": code_at(time.time())})

    assert answer.status_code == 403
    assert not logins()


def test_a_browser_is_remembered_if_its_user_wants(client: Client, login_flows: None, bob: User, password: str) -> None:
    """Then it is asked for the password only, and that login does not claim a second factor."""  # S-533
    give_app(bob)
    tab = after_password(client, "bob", password)
    assert "Do not ask again in this browser for 30 days" in tab.text
    tab.submit(code=code_at(time.time()), remember_device="true")
    client.get("/flows/-/default/invalidation/", follow=True, headers={"Sec-Fetch-Site": "same-origin"})
    assert not logins()

    assert Tab(client).log_in("bob", password) == "/"
    assert logins()[0].methods == ["pwd"]

    assert after_password(Client(), "bob", password).has("code")


def test_nobody_is_remembered_without_wanting_it(client: Client, login_flows: None, bob: User, password: str) -> None:
    """And where the stage does not offer it, wanting it does not help."""
    give_app(bob)
    after_password(client, "bob", password).submit(code=code_at(time.time()))
    assert not RememberedDevice.objects.exists()

    AuthenticatorValidateStage.objects.update(last_auth_threshold="seconds=0")
    TOTPDevice.objects.update(last_step=0)
    tab = after_password(Client(), "bob", password)
    assert "Do not ask again" not in tab.text
    assert tab.submit(code=code_at(time.time()), remember_device="true") == "/"
    assert not RememberedDevice.objects.exists()


def test_a_remembered_browser_is_asked_when_it_must_prove_itself_anew(
    client: Client, login_flows: None, bob: User, password: str
) -> None:
    """Setting up a factor needs a login that has shown the ones there are."""  # S-512
    give_app(bob)
    tab = after_password(client, "bob", password)
    tab.submit(code=code_at(time.time()), remember_device="true")
    client.get("/flows/-/default/invalidation/", follow=True, headers={"Sec-Fetch-Site": "same-origin"})
    assert Tab(client).log_in("bob", password) == "/"

    stage = AuthenticatorTOTPStage.objects.get()
    again = Tab(client, client.get(f"/flows/-/configure/{stage.pk}/")["Location"])
    again.log_in("bob", password)

    assert again.has("code")
    assert "Is it you?" in again.text


# --- without a factor ------------------------------------------------------------------------------------------------


def require_factor(*stages: Any) -> None:
    AuthenticatorValidateStage.objects.update(not_configured_action="configure")
    AuthenticatorValidateStage.objects.get().configuration_stages.set(stages)


def test_a_missing_factor_is_set_up_on_the_way(client: Client, login_flows: None, bob: User, password: str) -> None:
    """With a choice where there are several; the new one counts for this login."""
    require_factor(AuthenticatorTOTPStage.objects.get(), AuthenticatorWebAuthnStage.objects.get())
    tab = after_password(client, "bob", password)
    assert "Set up a second factor" in tab.text

    tab.submit(selected_stage=str(AuthenticatorTOTPStage.objects.get().pk))
    seed = re.search(r"secret=([A-Z2-7]+)", tab.text)
    assert seed
    assert not logins()
    assert tab.submit(code=code_at(time.time(), seed[1])) == "/"

    assert TOTPDevice.objects.get().user == bob
    assert logins()[0].methods == ["pwd", "otp", "mfa"]


def test_a_single_set_up_needs_no_choice(client: Client, login_flows: None, bob: User, password: str) -> None:
    """It follows at once."""
    require_factor(AuthenticatorTOTPStage.objects.get())

    assert "Scan this with an authenticator app" in after_password(client, "bob", password).text


def test_only_offered_set_ups_can_be_chosen(client: Client, login_flows: None, bob: User, password: str) -> None:
    """Not any stage of the installation."""  # S-501
    require_factor(AuthenticatorTOTPStage.objects.get(), AuthenticatorWebAuthnStage.objects.get())
    other = Flow.objects.get(slug="default-authentication-flow").stages.get(name="default-authentication-login")
    tab = after_password(client, "bob", password)
    for key in ("", "x", str(other.pk)):
        tab.submit(selected_stage=key)
        assert "Choose one of these." in tab.text

    assert not logins()


def test_a_stolen_password_cannot_add_a_factor_beside_the_one_there_is(
    client: Client, login_flows: None, bob: User, password: str
) -> None:
    """The stage takes keys only, bob has an app: nobody may set up a key without showing the app."""  # S-512
    require_factor(AuthenticatorWebAuthnStage.objects.get())
    AuthenticatorValidateStage.objects.update(device_classes=["webauthn"])
    give_app(bob)
    tab = Tab(client)
    tab.submit(uid_field="bob")

    denied = client.post(LOGIN, {"step": tab.hidden("step"), "password": password})

    assert denied.status_code == 403
    assert "not taken here" in denied.content.decode()


def test_a_stage_that_can_set_up_nothing_denies(client: Client, login_flows: None, bob: User, password: str) -> None:
    """configure without configuration stages never lets anybody pass."""
    require_factor()
    tab = Tab(client)
    tab.submit(uid_field="bob")

    assert client.post(LOGIN, {"step": tab.hidden("step"), "password": password}).status_code == 403


# --- step-up and passkeys alone --------------------------------------------------------------------------------------


def flow_of(stage: AuthenticatorValidateStage, designation: str = "stage_configuration") -> str:
    flow = Flow.objects.create(
        slug="made", name="Made", title="Made", designation=designation, authentication="require_authenticated"
    )
    FlowStageBinding.objects.create(flow=flow, stage=stage, order=0)
    return "/if/flow/made/"


def test_step_up_makes_a_login_stronger(client: Client, login_flows: None, bob: User, password: str) -> None:
    """The factor is asked of whoever is logged in; the session gets a new key."""  # S-527
    Tab(client).log_in("bob", password)
    give_app(bob)
    (before,) = logins()
    tab = Tab(client, flow_of(AuthenticatorValidateStage.objects.create(name="step-up")))

    assert tab.submit(code=code_at(time.time())) == "/"

    (after,) = logins()
    assert after.methods == ["pwd", "otp", "mfa"]
    assert (after.pk, after.sid) == (before.pk, before.sid)
    assert after.session_key != before.session_key


def test_a_passkey_alone_logs_in(client: Client, login_flows: None, bob: User) -> None:
    """A flow that begins with this stage: no name, no password, and the login counts as two factors."""
    passwordless()
    key = SoftKey()
    give_key(bob, key)
    tab = Tab(client, "/if/flow/passwordless/")
    assert passkey_options(tab)["allowCredentials"] == []

    assert tab.submit(webauthn=key.get(passkey_options(tab))) == "/"

    (login,) = logins()
    assert (login.user, login.methods) == (bob, ["user", "mfa"])
    assert Event.objects.get(action="login").context["auth_method"] == "auth_webauthn_pwl"


@pytest.mark.parametrize("flaw", ["unverified", "deactivated", "unknown", "no handle"])
def test_a_passkey_alone_must_be_perfect(client: Client, login_flows: None, bob: User, flaw: str) -> None:
    """User verification, an active user, a known credential and its user handle."""  # S-515, S-516
    passwordless()
    key = SoftKey()
    give_key(bob, key)
    if flaw == "unverified":
        key.flags = USER_PRESENT
    if flaw == "deactivated":
        directory.update_user(Actor.system(), bob, is_active=False)
    if flaw == "unknown":
        key.credential_id = b"x" * 32
    tab = Tab(client, "/if/flow/passwordless/")

    tab.submit(webauthn=key.get(passkey_options(tab), **({"userHandle": None} if flaw == "no handle" else {})))

    assert "That did not work" in tab.text
    assert not logins()
    assert Event.objects.filter(action="login_failed").count() == 1


def test_codes_do_not_log_in_alone(client: Client, login_flows: None, bob: User) -> None:
    """Whatever the stage lists."""
    passwordless()
    give_app(bob)
    tab = Tab(client, "/if/flow/passwordless/")

    tab.submit(code=code_at(time.time()))

    assert not logins()


def passwordless() -> None:
    flow = Flow.objects.create(
        slug="passwordless", name="Passkey", title="Passkey", designation="authentication", authentication="none"
    )
    stages = Flow.objects.get(slug="default-authentication-flow").stages
    FlowStageBinding.objects.create(flow=flow, stage=stages.get(kind="authenticatorvalidate"), order=0)
    FlowStageBinding.objects.create(flow=flow, stage=stages.get(kind="userlogin"), order=10)


# --- the executor API ------------------------------------------------------------------------------------------------


def test_the_challenge_of_the_api(client: Client, login_flows: None, bob: User, password: str) -> None:
    """authentik's keys; a wrong code is 200 with errors, the right one ends the flow."""  # C11
    app = give_app(bob)
    give_codes(bob)
    key = SoftKey()
    device = give_key(bob, key)
    for answer in ({"uid_field": "bob"}, {"password": password}):
        client.post(API, answer, content_type="application/json")

    challenge = client.get(API).json()
    assert challenge["component"] == "ak-stage-authenticator-validate"
    assert challenge["pending_user"] == "bob"
    assert challenge["configuration_stages"] == []
    assert [each["device_class"] for each in challenge["device_challenges"]] == ["webauthn", "totp", "static"]
    assert [each["device_uid"] for each in challenge["device_challenges"]][:2] == [str(device.pk), str(app.pk)]
    asked = challenge["device_challenges"][0]["challenge"]
    assert asked["rpId"] == "auth.example.test"

    def post(**answer: object) -> Any:
        component = {"component": "ak-stage-authenticator-validate"}
        return client.post(API, {**component, **answer}, content_type="application/json")

    empty = post(selected_challenge=challenge["device_challenges"][1]).json()
    assert empty["response_errors"] == {"non_field_errors": [{"string": "Empty response", "code": "invalid"}]}
    wrong = post(code="000000").json()
    assert wrong["response_errors"] == {"code": [{"string": "Invalid Token", "code": "invalid"}]}
    right = post(webauthn=json.loads(key.get(asked)))
    assert right.json()["component"] == "xak-flow-redirect"
    assert len(logins()) == 1


def test_app_passwords_are_not_asked_for_factors(login_flows: None, bob: User) -> None:
    """They exist for programs that cannot; making one needs a login that has shown them."""
    give_app(bob)
    token, key = directory.create_token(
        Actor.system(), user=bob, identifier="cal", intent=Token.Intent.APP_PASSWORD, expiring=False
    )

    from doorward.identity.directory.queries import token_by_key

    assert token_by_key(key, [Token.Intent.APP_PASSWORD]) == token
    assert throttle.reserve(bob.pk)
