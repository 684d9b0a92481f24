"""Logging out on one side logs out on the other: what we ask, what we are asked, and what of it is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from django.test import Client

from doorward.identity.crypto.actions import import_pair
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.logins.models import LoginSession
from doorward.identity.sources.saml import actions
from doorward.identity.sources.saml.models import SAMLSource, VouchedLogin
from identity.sources.saml.conftest import US, Visitor
from peers.saml_provider import SLO, SamlProvider, in_form

pytestmark = pytest.mark.django_db
SLO_PATH = "/source/saml/upstream/slo/"


@pytest.fixture(autouse=True)
def signing(source: SAMLSource, our_key: tuple[str, str]) -> None:
    ours = import_pair(Actor.system(), name="ours", certificate_pem=our_key[1], private_key_pem=our_key[0])
    actions.update(Actor.system(), source, {"signing_kp": ours})


@pytest.fixture
def erin(visitor: Visitor) -> Visitor:
    """Somebody who has logged in through the provider."""
    visitor.enter()
    assert visitor.name == "erin"
    return visitor


def to_us(url: str) -> str:
    """Path and query of an address of ours."""
    assert url.startswith("https://auth.example.test/"), url
    return url.removeprefix("https://auth.example.test")


def logins() -> int:
    return LoginSession.objects.filter(user__username="erin").count()


def test_whoever_logs_out_here_logs_out_there(erin: Visitor, provider: SamlProvider) -> None:
    """The browser goes to the provider with a signed request that names the session, and comes back to the end."""
    index = VouchedLogin.objects.get().session_index
    away = erin.follow(erin.client.get("/flows/-/default/invalidation/"))
    assert away.status_code == 302 and away["Location"].startswith(f"{SLO}?SAMLRequest=")
    assert logins() == 0
    request = provider.logout_asked(away["Location"])
    assert (request.name_id.text, [each.text for each in request.session_index]) == ("erin@example.test", [index])

    back = erin.client.get(to_us(provider.logout_answer(request, US.slo_url)))
    assert back.status_code == 302 and back["Location"].startswith("/if/flow/default-invalidation-flow/")
    end = erin.follow(back)
    assert end.status_code == 302 and not end["Location"].startswith("https://idp")
    # Once more, it is no answer to anything any more, and nobody is sent round in circles.
    assert erin.client.get(SLO_PATH)["Location"] == "/flows/-/default/invalidation/"


@pytest.mark.parametrize("change", ["unsigned", "for another request", "another key", "declined"])
def test_what_does_not_confirm_is_said(erin: Visitor, provider: SamlProvider, change: str, tmp_path: Path) -> None:
    """Nobody believes to be logged out there because of a message that anybody could have sent."""
    request = provider.logout_asked(erin.follow(erin.client.get("/flows/-/default/invalidation/"))["Location"])
    if change == "for another request":
        request.id = "_other"
    answer = to_us(provider.logout_answer(request, US.slo_url, done=change != "declined"))
    if change == "unsigned":
        answer = answer.partition("&SigAlg")[0]
    if change == "another key":
        answer = to_us(SamlProvider(tmp_path, provider.service_provider).logout_answer(request, US.slo_url))
    end = erin.follow(erin.client.get(answer))
    page = erin.client.get("/if/flow/default-authentication-flow/") if end.status_code == 302 else end
    assert "has not confirmed" in page.content.decode()
    assert Event.objects.filter(action="configuration_warning", app="authentik.sources.saml").exists()


def test_a_source_without_an_address_for_it_is_left_alone(erin: Visitor, source: SAMLSource) -> None:
    """And so is the provider of whoever logged in with a password."""
    actions.update(Actor.system(), source, {"slo_url": ""})
    end = erin.follow(erin.client.get("/flows/-/default/invalidation/"))
    assert not end.get("Location", "").startswith("https://idp") and logins() == 0


@pytest.mark.parametrize("form", [False, True])
def test_the_provider_ends_a_login(erin: Visitor, provider: SamlProvider, form: bool) -> None:
    """By name and session, with a signed message in a URL or a form; it is answered, signed."""
    other = Visitor(provider)
    other.enter()
    index = next(row for row in VouchedLogin.objects.all() if row.login_id == _login(erin).pk).session_index
    stranger = Client()
    if form:
        asked = {
            "SAMLRequest": in_form(provider.logout_message(US.slo_url, "erin@example.test", index)),
            "RelayState": "r",
        }
        answer = stranger.post(SLO_PATH, asked)
    else:
        answer = stranger.get(to_us(provider.logout_url(US.slo_url, "erin@example.test", index, relay_state="r")))
    assert answer.status_code == 303 and answer["Location"].startswith(f"{SLO}?SAMLResponse="), answer.content
    assert parse_qs(urlsplit(answer["Location"]).query)["RelayState"] == ["r"]
    provider.logout_confirmed(answer["Location"])
    assert erin.name == "" and other.name == "erin"
    event = Event.objects.filter(action="logout").latest("created")
    assert event.context["of_user"]["name"] == "erin"


def test_without_a_session_all_of_them_end(erin: Visitor, provider: SamlProvider, bob: User) -> None:
    """Those that came from there; nobody else's, and none that began with a password."""
    Visitor(provider).enter()
    LoginSession.objects.create(
        session_key="k", user=User.objects.get(username="erin"), expire_date="2099-01-01T00:00Z"
    )
    url = to_us(provider.logout_url(US.slo_url, "bob@example.test", ""))
    assert Client().get(url).status_code == 303 and logins() == 3
    Client().get(to_us(provider.logout_url(US.slo_url, "erin@example.test", "")))
    assert logins() == 1


def test_requests_are_signed_for_us_and_new(erin: Visitor, provider: SamlProvider, tmp_path: Path) -> None:
    """Nobody logs others out with a message of their own, an old one, or one for another address."""
    url = to_us(provider.logout_url(US.slo_url, "erin@example.test", ""))
    stranger = SamlProvider(tmp_path, provider.service_provider)
    elsewhere = provider.logout_url("https://other.example.test/slo/", "erin@example.test", "")
    parts = dict(parse_qsl(urlsplit(url).query))
    refused: list[Any] = [
        Client().get(url.partition("&SigAlg")[0]),
        Client().get(url.replace("SAMLRequest=", "SAMLRequest=AA")),
        Client().get(to_us(stranger.logout_url(US.slo_url, "erin@example.test", ""))),
        Client().get(f"{SLO_PATH}?{elsewhere.partition('?')[2]}"),
        Client().get(to_us(provider.logout_url(US.slo_url, "erin@example.test", "", age=3600))),
        Client().get(to_us(provider.logout_url(US.slo_url, "erin@example.test", "", age=-3600))),
        Client().get(f"{url}&SAMLRequest={parts['SAMLRequest'][:9]}"),
        Client().post(SLO_PATH, {"SAMLRequest": in_form(stranger.logout_message(US.slo_url, "erin@example.test", ""))}),
        Client().post(SLO_PATH, {}),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    assert logins() == 1
    assert Client().get(url).status_code == 303 and logins() == 0
    erin.enter()
    assert Client().get(url).status_code == 403 and logins() == 1  # the same once more


def test_a_login_of_somebody_else_in_the_same_browser_is_not_meant(
    erin: Visitor, provider: SamlProvider, bob: User
) -> None:
    """The row of a login may go on as another's; what the provider said does not."""
    from django.test import RequestFactory

    from doorward.identity.logins.actions import log_in
    from doorward.identity.logins.session_store import SessionStore

    request = RequestFactory().get("/")
    request.session = SessionStore(erin.client.cookies["__Host-doorward_login"].value)
    log_in(request, bob, methods=("pwd",))
    Client().get(to_us(provider.logout_url(US.slo_url, "erin@example.test", "")))
    assert LoginSession.objects.filter(user=bob).exists()


def _login(visitor: Visitor) -> LoginSession:
    from doorward.identity.crypto import vault

    return LoginSession.objects.get(session_key=vault.digest(visitor.client.cookies["__Host-doorward_login"].value))
