"""Devices without a browser are let in on a page (RFC 8628)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from doorward.identity.applications.models import Application, Consent
from doorward.identity.brands.models import Brand
from doorward.identity.directory.actions import update_user
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows.defaults import DEVICE_CODE as DEVICE_FLOW
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.logins.actions import end_all_of
from doorward.identity.oauth2 import device_codes
from doorward.identity.oauth2.endpoints import device as device_endpoint
from doorward.identity.oauth2.models import DEFAULT_GRANTS, DEVICE_CODE, DeviceCode, ScopeMapping
from doorward.identity.oauth2.pace import Pace
from doorward.identity.policies.actions import bind
from doorward.identity.stages.models import DenyStage
from identity.oauth2.conftest import EXPLICIT, Register
from identity.oauth2.relying_party import Browser, RelyingParty, error_of, payload_of

GRANTS = [*DEFAULT_GRANTS, DEVICE_CODE]


@pytest.fixture(autouse=True)
def fresh_counts() -> Iterator[None]:
    """No test inherits another's wrong codes."""
    yield
    device_codes.wrong_codes.forget()
    device_endpoint.asked.forget()


@pytest.fixture
def tv(register: Register) -> RelyingParty:
    """A client that may let devices in."""
    return register("tv", grant_types=GRANTS)


def _start(rp: RelyingParty, **form: str) -> dict[str, Any]:
    secret = rp.provider.client_secret
    response = rp.post("device", client_id=rp.provider.client_id, client_secret=secret, **form)
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


def _poll(rp: RelyingParty, started: dict[str, Any], *, waited: bool = True) -> Any:
    if waited:
        DeviceCode.objects.update(polled_at=None)
    return rp.token(grant_type=DEVICE_CODE, device_code=started["device_code"])


def _allow(browser: Browser, started: dict[str, Any]) -> Any:
    """Types the code, agrees, and goes wherever that leads without a further question."""
    response = browser.post("/device", {"code": started["user_code"], "answer": "allow"})
    assert response.status_code == 303, response.content
    return browser.get(response["Location"], follow=True)


def test_a_device_is_let_in(tv: RelyingParty, browser: Browser, bob: User) -> None:
    """The device shows a code, bob types and confirms it, the device gets bob's tokens."""  # S-422
    started = _start(tv, scope="openid profile offline_access")
    assert re.fullmatch(r"[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}", started["user_code"])
    assert started["verification_uri"] == "https://auth.example.test/device"
    assert (started["expires_in"], started["interval"]) == (600, 5)
    assert error_of(_poll(tv, started)) == (400, "authorization_pending")
    page = browser.get("/device").content.decode()
    assert 'name="code"' in page
    shown = browser.post("/device", {"code": started["user_code"].lower().replace("-", " ")}, follow=True)
    text = shown.content.decode()
    assert "Let a device into TV?" in text and started["user_code"] in text
    assert error_of(_poll(tv, started)) == (400, "authorization_pending")
    assert "The device is in" in _allow(browser, started).content.decode()
    tokens = _poll(tv, started).json()
    assert payload_of(tokens["id_token"])["sub"] == bob.uid
    assert tv.userinfo(tokens["access_token"]).json()["preferred_username"] == "bob"
    assert tv.refresh(tokens["refresh_token"]).status_code == 200
    assert Event.objects.get(action="authorize_application").user["username"] == "bob"


def test_codes_work_once(tv: RelyingParty, browser: Browser) -> None:
    """Neither the device's code nor the one on the page can be used a second time."""  # S-422 S-805
    started = _start(tv)
    _allow(browser, started)
    assert _poll(tv, started).status_code == 200
    assert error_of(_poll(tv, started)) == (400, "invalid_grant")
    assert browser.get(f"/device?code={started['user_code']}").status_code == 400


def test_a_link_does_nothing_by_itself(tv: RelyingParty, browser: Browser) -> None:
    """Who follows a link with the code is asked; the addresses behind the question lead back to it; and a form of
    another site is refused."""  # S-422
    started = _start(tv)
    link = started["verification_uri_complete"].removeprefix("https://auth.example.test")
    assert "Let it in" in browser.get(link).content.decode()
    for address in ("/device/consent/", "/device/end/"):
        assert browser.get(f"{address}?code={started['user_code']}")["Location"].startswith("/device?code=")
    forged = Browser(enforce_csrf_checks=True)
    forged.cookies = browser.cookies
    answer = {"code": started["user_code"], "answer": "allow"}
    assert forged.post("/device", answer, headers={"origin": "https://evil.test"}).status_code == 403
    assert error_of(_poll(tv, started)) == (400, "authorization_pending")


def test_nobody_else_may_ask(tv: RelyingParty, register: Register, browser: Browser) -> None:
    """Another client's question is refused before and after the person has agreed, and takes nothing away."""  # S-422
    other, started = register("other", grant_types=GRANTS), _start(tv)
    assert error_of(_poll(other, started)) == (400, "invalid_grant")
    _allow(browser, started)
    assert error_of(_poll(other, started)) == (400, "invalid_grant")
    assert _poll(tv, started).status_code == 200


def test_hasty_devices_wait_longer(tv: RelyingParty) -> None:
    """Asking again at once is answered with slow_down, and adds five seconds."""
    started = _start(tv)
    assert error_of(_poll(tv, started)) == (400, "authorization_pending")
    assert error_of(_poll(tv, started, waited=False)) == (400, "slow_down")
    assert DeviceCode.objects.get().interval == 10


def test_people_can_say_no(tv: RelyingParty, browser: Browser) -> None:
    """The device is told."""
    started = _start(tv)
    answer = browser.post("/device", {"code": started["user_code"], "answer": "deny"})
    assert "The device stays out" in answer.content.decode()
    assert error_of(_poll(tv, started)) == (403, "access_denied")


def test_codes_end_after_ten_minutes(tv: RelyingParty, browser: Browser) -> None:
    """The device hears expired_token, the person that nobody waits."""
    started = _start(tv)
    DeviceCode.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert error_of(_poll(tv, started)) == (400, "expired_token")
    assert browser.get(f"/device?code={started['user_code']}").status_code == 400


def test_access_rules_are_for_devices_too(
    tv: RelyingParty, browser: Browser, bob: User, staff: Group, admins: Group
) -> None:
    """Who may not enter cannot send a device in, and who lost the right in between neither."""  # S-421 CVE-2024-38371
    application = Application.objects.get(slug="tv")
    started = _start(tv)
    _allow(browser, started)
    bind(Actor.system(), application, group=admins)
    assert error_of(_poll(tv, started)) == (403, "access_denied")
    again = _start(tv)
    assert "TV" in _allow(browser, again).content.decode()
    assert error_of(_poll(tv, again)) == (403, "access_denied")


@pytest.mark.parametrize("end", ["logout", "deactivated"])
def test_a_login_that_ended_lets_no_device_in(tv: RelyingParty, browser: Browser, bob: User, end: str) -> None:
    """Between the person's yes and the device's question everything must still stand."""  # S-425 C15
    started = _start(tv)
    _allow(browser, started)
    if end == "logout":
        end_all_of(Actor.system(), bob)
    else:
        update_user(Actor.system(), bob, is_active=False)
    assert _poll(tv, started).status_code >= 400


def test_scopes_never_grow(register: Register, browser: Browser) -> None:
    """A device gets what its client may have of what it asked for, and consent names just that."""  # S-419
    mappings = list(ScopeMapping.objects.filter(scope_name__in=["openid", "email"]))
    tv = register("tv", grant_types=GRANTS, scope_mappings=mappings)
    started = _start(tv, scope="openid email profile goauthentik.io/api")
    _allow(browser, started)
    assert _poll(tv, started).json()["scope"] == "openid email"


def test_consent_is_asked(register: Register, browser: Browser, bob: User) -> None:
    """With explicit consent the person is asked what the application may know; "no" leads back to the question."""
    tv = register("tv", grant_types=GRANTS, authorization_flow=EXPLICIT)
    started = _start(tv, scope="openid email")
    page = _allow(browser, started)
    assert "wants to know who you are" in page.content.decode()
    assert f"/device?code={started['user_code']}" in page.content.decode()
    assert error_of(_poll(tv, started)) == (400, "authorization_pending")
    there = browser.walk(page.wsgi_request.get_full_path(), {})
    assert "The device is in" in browser.get(there).content.decode()
    assert Consent.objects.get(user=bob).permissions == "email openid"
    assert _poll(tv, started).status_code == 200


def test_the_brands_flow_stands_before_it(tv: RelyingParty, browser: Browser) -> None:
    """Stages in the device flow are passed before a device is let in."""
    stage = DenyStage.objects.create(name="no devices", deny_message="Not today")
    FlowStageBinding.objects.create(flow=Flow.objects.get(slug=DEVICE_FLOW), stage=stage, order=0)
    started = _start(tv)
    assert "Not today" in _allow(browser, started).content.decode()
    assert error_of(_poll(tv, started)) == (400, "authorization_pending")


def test_strangers_log_in_first(tv: RelyingParty) -> None:
    """The code survives the login."""
    answer = Browser().get("/device?code=BCDF-GHJK")
    assert answer["Location"].startswith("/if/flow/default-authentication-flow/")
    assert "BCDF-GHJK" in answer["Location"]


def test_guessing_is_slow(tv: RelyingParty, browser: Browser, mallory: User) -> None:
    """After twenty wrong codes from one address none is looked at any more, the right one neither; the same for one
    user, and after a thousand altogether."""  # S-423
    started = _start(tv)
    for _ in range(20):
        assert browser.get("/device?code=BBBB-BBBB").status_code == 400
    assert browser.get(f"/device?code={started['user_code']}").status_code == 429
    assert browser.get("/device?code=BBBB-BBBB").status_code == 429
    pace = Pace(20, altogether=30)
    assert [pace.take("a") for _ in range(21)] == [True] * 20 + [False]
    assert [pace.take("b") for _ in range(11)] == [True] * 10 + [False]
    assert len(device_codes.ALPHABET) ** device_codes.LENGTH > 2**34


def test_right_codes_are_not_counted(tv: RelyingParty, browser: Browser) -> None:
    """Looking at the question again and again is no guessing."""
    started = _start(tv)
    assert {browser.get(f"/device?code={started['user_code']}").status_code for _ in range(25)} == {200}


def test_devices_ask_in_moderation(tv: RelyingParty) -> None:
    """Twenty devices an hour for one client and address."""
    for _ in range(20):
        _start(tv)
    secret = tv.provider.client_secret
    assert error_of(tv.post("device", client_id=tv.provider.client_id, client_secret=secret)) == (429, "slow_down")


def test_only_where_it_is_wanted(rp: RelyingParty, register: Register, browser: Browser) -> None:
    """A client whose grants do not name it, and an installation without a flow for it, have no device grant."""
    secret = rp.provider.client_secret
    refused = rp.post("device", client_id=rp.provider.client_id, client_secret=secret)
    assert error_of(refused) == (400, "unauthorized_client")
    assert error_of(rp.token(grant_type=DEVICE_CODE, device_code="x")) == (400, "unauthorized_client")
    path = "/application/o/{}/.well-known/openid-configuration"
    tv = register("tv", grant_types=GRANTS)
    assert "device_authorization_endpoint" not in browser.get(path.format("rp")).json()
    assert browser.get(path.format("tv")).json()["device_authorization_endpoint"].endswith("/application/o/device/")
    Brand.objects.update(flow_device_code=None)
    assert "device_authorization_endpoint" not in browser.get(path.format("tv")).json()
    assert error_of(tv.post("device", client_id=tv.provider.client_id, client_secret=tv.provider.client_secret))
    assert browser.get("/device").status_code == 404


def test_clients_prove_themselves(tv: RelyingParty, register: Register) -> None:
    """A confidential client needs its secret here too; a public one needs none."""
    assert error_of(tv.post("device", client_id=tv.provider.client_id)) == (401, "invalid_client")
    public = register("public", client_type="public", grant_types=GRANTS)
    assert public.post("device", client_id=public.provider.client_id).status_code == 200
    assert error_of(public.token(grant_type=DEVICE_CODE)) == (400, "invalid_request")
