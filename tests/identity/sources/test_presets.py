"""The usual providers: whose word about an address counts, and what each of them wants to be asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from joserfc import jwt
from joserfc.jwk import ECKey

from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import User
from doorward.identity.egress import documents
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow
from doorward.identity.policies.actions import bind, create_policy
from doorward.identity.policies.models import ExpressionPolicy, PolicyTarget
from doorward.identity.sources.models import OAuthSource, UserSourceConnection
from doorward.identity.sources.oauth import client_secrets
from doorward.identity.sources.oauth.errors import SourceFailed
from doorward.identity.sources.oauth.presets import BY_NAME, PRESETS
from identity.sources.issuer import Issuer, running

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("login_flows")]
LOGIN, CALLBACK = "/source/oauth/login/upstream/", "/source/oauth/callback/upstream/"
OCTOCAT = {"id": 583231, "login": "octocat", "email": "octocat@example.test"}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    documents.forget()
    with running() as issuer:
        yield issuer


def source(issuer: Issuer, preset: str, **more: Any) -> OAuthSource:
    """One of this preset, whose addresses lead to ``issuer``."""
    made = OAuthSource(
        name="Upstream",
        slug="upstream",
        provider_type=preset,
        consumer_key="doorward",
        authentication_flow=Flow.objects.get(slug="default-source-authentication"),
        enrollment_flow=Flow.objects.get(slug="default-source-enrollment"),
        **more,
    )
    made.consumer_secret = "s3cret"
    made.save()
    return made


def github(issuer: Issuer, **more: Any) -> OAuthSource:
    issuer.profile = OCTOCAT
    return source(
        issuer,
        "github",
        authorization_url=f"{issuer.url}/authorize",
        access_token_url=f"{issuer.url}/token",
        profile_url=f"{issuer.url}/userinfo",
        **more,
    )


def enter(issuer: Issuer) -> Any:
    """In a new browser to the provider, back, and to the end of the flow."""
    client = Client()
    response: Any = client.get(CALLBACK, issuer.log_in(client.get(LOGIN)["Location"]))
    while response.status_code in (302, 303) and response["Location"].startswith("/if/flow/"):
        response = client.get(response["Location"])
    return response


@pytest.mark.parametrize(
    ("emails", "linked"),
    [
        ([{"email": "octocat@example.test", "primary": True, "verified": True}], True),
        ([{"email": "octocat@example.test", "primary": True, "verified": False}], False),
        ([{"email": "octocat@example.test", "primary": False, "verified": True}], False),
        ([{"email": "octocat@example.test", "primary": True, "verified": "yes"}], False),
        ([{"email": "octocat@example.test", "primary": True, "verified": True}] * 2, False),
        ([], False),
        ({"message": "Not Found"}, False),
        (None, False),
    ],
)
def test_github_proves_an_address_only_in_its_list(issuer: Issuer, emails: object, linked: bool) -> None:
    """The public profile's address links nobody; the verified primary one of ``/user/emails`` does."""
    github(issuer, user_matching_mode="email_link")
    carol = directory.create_user(Actor.system(), username="carol", email="octocat@example.test")
    issuer.emails = emails  # S-450, S-525
    enter(issuer)

    assert UserSourceConnection.objects.filter(user=carol).exists() is linked


def test_google_proves_its_own_addresses_only() -> None:
    """Gmail's, and those of domains that Google hosts; another was proven once and may have changed hands."""
    read = BY_NAME["google"].read
    said = {"sub": "1", "email_verified": True}

    assert read({**said, "email": "erin@gmail.com"}).email_verified
    assert read({**said, "email": "erin@example.test", "hd": "example.test"}).email_verified
    assert not read({**said, "email": "erin@example.test"}).email_verified  # S-450
    assert not read({**said, "email": "erin@gmail.com", "email_verified": False}).email_verified
    assert not read({**said, "email": "erin@gmail.com.evil.test"}).email_verified


@pytest.mark.parametrize("name", ["entraid", "facebook", "mailcow", "reddit", "twitter"])
def test_who_says_nothing_proves_nothing(name: str) -> None:
    """Where the answer does not say that an address is proven, it is not."""
    info = {"sub": "1", "id": "1", "oid": "1", "email": "erin@example.test", "data": {"id": "1", "email": "e@x.test"}}

    assert BY_NAME[name].read(info).identifier == "1"
    assert not BY_NAME[name].read(info).email_verified  # S-450


def test_every_preset_knows_where_to_go() -> None:
    """Either everything is known, or it is asked for with an example."""
    for preset in PRESETS:
        known = preset.well_known_url or (preset.authorization_url and preset.exchange_url and preset.profile_url)
        assert known or (preset.urls_customizable and preset.examples), preset.name
        urls = [preset.authorization_url, preset.exchange_url, preset.profile_url, preset.well_known_url]
        assert all(url.startswith("https://") for url in [*urls, preset.register_at] if url), preset.name


def test_apple_is_asked_for_a_form_and_sent_a_signed_secret(issuer: Issuer) -> None:
    """The answer comes as a form of another site without our cookie, and is taken after one redirect."""
    key = ECKey.generate_key("P-256")
    apple = source(issuer, "apple", oidc_well_known_url=f"{issuer.url}/.well-known/openid-configuration")
    apple.consumer_key = "org.example.login;TEAM;KEY"
    apple.consumer_secret = key.as_pem(private=True).decode()
    apple.authorization_code_auth_method = "post_body"
    apple.save()
    client = Client()
    away = client.get(LOGIN)["Location"]
    asked = {name: value[0] for name, value in parse_qs(urlsplit(away).query).items()}
    assert (asked["response_mode"], asked["client_id"]) == ("form_post", "org.example.login")
    stranger = Client(enforce_csrf_checks=True)
    again = stranger.post(CALLBACK, {**issuer.log_in(away), "user": "{}"}, headers={"Origin": issuer.url})
    assert again.status_code == 303 and again["Location"].startswith(f"{CALLBACK}?state=")
    assert client.get(again["Location"]).status_code == 302
    sent = next(form["client_secret"] for path, form in issuer.asked if path == "/token")
    token = jwt.decode(sent, key, algorithms=["ES256"])
    assert token.header["kid"] == "KEY"
    assert {token.claims["iss"], token.claims["sub"], token.claims["aud"]} == {
        "TEAM",
        "org.example.login",
        "https://appleid.apple.com",
    }
    assert token.claims["exp"] - token.claims["iat"] <= 300
    apple.consumer_key = "org.example.login"
    with pytest.raises(SourceFailed, match="client;team;key"):
        client_secrets.secret(apple)


def test_twitch_is_asked_for_each_claim(issuer: Issuer) -> None:
    """It tells neither name nor address otherwise."""
    source(issuer, "twitch", oidc_well_known_url=f"{issuer.url}/.well-known/openid-configuration")
    asked = parse_qs(urlsplit(Client().get(LOGIN)["Location"]).query)

    assert "email_verified" in asked["claims"][0]
    assert asked["scope"] == ["openid user:read:email"]


def rule(target: PolicyTarget, expression: str) -> None:
    policy = create_policy(Actor.system(), ExpressionPolicy, name=f"rule of {target.pk}", expression=expression)
    bind(Actor.system(), target, policy=policy, order=1)


def test_enrolment_judges_by_what_the_provider_says(issuer: Issuer) -> None:
    """A policy of the flow sees the answer as ``oauth_userinfo``, and what was made of it as ``prompt_data``."""
    github(issuer)
    enrolment = Flow.objects.get(slug="default-source-enrollment")
    Flow.objects.filter(pk=enrolment.pk).update(policy_engine_mode="all")
    rule(enrolment, 'return context["oauth_userinfo"]["team"] == "doors" and context["prompt_data"]["username"]')
    issuer.profile = {**OCTOCAT, "team": "windows"}
    enter(issuer)
    assert not User.objects.filter(username="octocat").exists()

    issuer.profile = {**OCTOCAT, "team": "doors"}
    enter(issuer)
    assert User.objects.filter(username="octocat").exists()


def test_each_login_is_judged_by_what_the_provider_says_now(issuer: Issuer) -> None:
    """Whoever has left the team there does not come in here any more."""
    github(issuer)
    login = Flow.objects.get(slug="default-source-authentication")
    Flow.objects.filter(pk=login.pk).update(policy_engine_mode="all")
    rule(login, 'return request.context["oauth_userinfo"].get("team") == "doors"')
    issuer.profile = {**OCTOCAT, "team": "doors"}
    enter(issuer)
    enrolled = UserSourceConnection.objects.get().last_used
    enter(issuer)
    known = UserSourceConnection.objects.get().last_used
    issuer.profile = {**OCTOCAT, "team": "windows"}
    enter(issuer)

    assert enrolled is not None and known is not None and known > enrolled
    assert UserSourceConnection.objects.get().last_used == known
