"""Logging in through an OpenID Connect provider, from the button to the library, and every way of cheating at it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from joserfc.jwk import ECKey, OctKey

from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import User
from doorward.identity.egress import documents
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow
from doorward.identity.mail.models import UnprovenAddress
from doorward.identity.policies.actions import bind
from doorward.identity.sources.models import OAuthSource, Source, UserSourceConnection
from doorward.identity.stages.models import IdentificationStage
from identity.sources.issuer import Issuer, running

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("login_flows")]
LOGIN, CALLBACK = "/source/oauth/login/upstream/", "/source/oauth/callback/upstream/"
SYSTEM = Actor.system()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    documents.forget()
    with running() as issuer:
        yield issuer


@pytest.fixture
def source(issuer: Issuer) -> OAuthSource:
    source = OAuthSource(
        name="Upstream",
        slug="upstream",
        consumer_key="doorward",
        oidc_well_known_url=f"{issuer.url}/.well-known/openid-configuration",
        authentication_flow=Flow.objects.get(slug="default-source-authentication"),
        enrollment_flow=Flow.objects.get(slug="default-source-enrollment"),
    )
    source.consumer_secret = "s3cret & more"
    source.save()
    for stage in IdentificationStage.objects.all():
        stage.sources.add(source)
    return source


def browser() -> Client:
    return Client()


def come_back(client: Client, issuer: Issuer, *, query: str = "", **changes: str) -> HttpResponse:
    """Through the provider and back, with the answer changed."""
    away = client.get(LOGIN + query)
    assert away.status_code == 302, away.content
    answer = {**issuer.log_in(away["Location"]), **changes}
    return client.get(CALLBACK, answer)  # type: ignore[return-value]


def logged_in(client: Client) -> str:
    """Who is logged in in this browser; empty for nobody."""
    page = client.get("/if/user/account/")
    user = page.context["request"].user if page.status_code == 200 and page.context else None
    return str(user.username) if user is not None and user.is_authenticated else ""


def enter(client: Client, issuer: Issuer, **more: Any) -> Any:
    """Come back, and follow the flow to its end."""
    response = come_back(client, issuer, **more)
    while response.status_code in (302, 303) and response["Location"].startswith("/if/flow/"):
        response = client.get(response["Location"])  # type: ignore[assignment]
    return response


def refused(response: HttpResponse, word: str) -> None:
    """The page says no, nobody is logged in, and the event says why."""
    assert response.status_code == 403
    event = Event.objects.filter(action="login_failed").order_by("-created").first()
    assert event is not None and word in event.context["reason"], event and event.context


def test_a_newcomer_is_enrolled_and_comes_again(issuer: Issuer, source: OAuthSource) -> None:
    """The first login makes the account, the second opens it, and the address counts as proven."""
    client = browser()
    response = enter(client, issuer, query="?next=/if/user/account/")

    assert (response.status_code, response["Location"]) == (302, "/if/user/account/")
    assert logged_in(client) == "erin"
    erin = User.objects.get(username="erin")
    assert (erin.name, erin.email, erin.path) == ("Erin", "erin@example.test", "goauthentik.io/sources/upstream")
    assert not UnprovenAddress.objects.exists()
    assert Event.objects.filter(action="source_linked").count() == 1
    issuer.claims |= {"preferred_username": "other", "email": "other@example.test"}
    again = browser()
    assert enter(again, issuer).status_code == 302
    assert logged_in(again) == "erin"
    assert User.objects.filter(path=erin.path).count() == 1


def test_what_the_source_is_asked(issuer: Issuer, source: OAuthSource) -> None:
    """Code flow with PKCE, nonce and state, and the secret in the header, encoded as the RFC says."""
    client = browser()
    asked = {name: value[0] for name, value in parse_qs(urlsplit(client.get(LOGIN)["Location"]).query).items()}
    assert asked["redirect_uri"] == "https://auth.example.test/source/oauth/callback/upstream/"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["scope"] == "openid email profile" and len(asked["state"]) >= 40 and len(asked["nonce"]) >= 40

    enter(client, issuer)
    form = next(form for path, form in issuer.asked if path == "/token")
    assert len(form["code_verifier"]) >= 43 and "client_secret" not in form


def test_a_taken_user_name_is_asked_for(issuer: Issuer, source: OAuthSource, bob: User) -> None:
    """Somebody else's name does not stop a newcomer, and does not become theirs."""
    issuer.claims["preferred_username"] = "bob"
    client = browser()
    page = enter(client, issuer)
    assert page.status_code == 200 and b'value="bob"' in page.content
    path = page.context["request"].get_full_path()
    step = page.context["step"]
    token = page.context["csrf_token"]
    answer = {"username": "bob2", "step": step, "csrfmiddlewaretoken": str(token)}
    client.post(path, answer, HTTP_ORIGIN="https://auth.example.test", follow=True)

    assert logged_in(client) == "bob2"
    assert UserSourceConnection.objects.get().user.username == "bob2"


def test_flows_of_sources_are_for_arrivals_only(source: OAuthSource) -> None:
    """Nobody enrols by opening the flow's address (S-521)."""
    for slug in ("default-source-enrollment", "default-source-authentication"):
        page = browser().get(f"/if/flow/{slug}/", follow=True)
        assert b"Choose a user name" not in page.content
    assert not User.objects.filter(type="external").exists()


def test_a_verified_address_opens_the_account_with_it(issuer: Issuer, source: OAuthSource) -> None:
    """Linking by address works where the provider vouches for it."""
    directory.create_user(SYSTEM, username="carol", email="erin@example.test")
    Source.objects.update(user_matching_mode="email_link")
    client = browser()
    enter(client, issuer)

    assert logged_in(client) == "carol"


def test_an_unverified_address_has_to_be_proved(issuer: Issuer, source: OAuthSource, password: str) -> None:
    """Whoever writes a stranger's address into their profile is asked to log in as that stranger first."""
    directory.create_user(SYSTEM, username="carol", email="erin@example.test", password=password)
    Source.objects.update(user_matching_mode="email_link")
    issuer.claims["email_verified"] = False  # S-525, S-450
    client = browser()
    page = enter(client, issuer)

    assert page.status_code == 200 and logged_in(client) == ""
    assert not UserSourceConnection.objects.exists()


def test_a_deactivated_user_is_refused(issuer: Issuer, source: OAuthSource) -> None:
    """An account that was closed here is not opened by a login elsewhere, nor half opened."""
    client = browser()
    enter(client, issuer)
    erin = User.objects.get(username="erin")
    directory.update_user(SYSTEM, erin, is_active=False)  # S-524
    client = browser()

    refused(enter(client, issuer), "deactivated")
    assert logged_in(client) == ""


def test_a_disabled_source_takes_nobody(issuer: Issuer, source: OAuthSource) -> None:
    """A code that is on its way when the source is switched off is worth nothing."""
    client = browser()
    answer = issuer.log_in(client.get(LOGIN)["Location"])
    Source.objects.update(enabled=False)  # S-526

    assert client.get(CALLBACK, answer).status_code == 404
    assert client.get(LOGIN).status_code == 404
    assert logged_in(client) == "" and not UserSourceConnection.objects.exists()


def test_bindings_say_who_may_come(issuer: Issuer, source: OAuthSource, bob: User) -> None:
    """A source that is not for strangers is not offered to them, and takes nobody."""
    bind(SYSTEM, source, user=bob)
    client = browser()

    assert client.get(LOGIN).status_code == 403
    assert b"Upstream" not in client.get("/if/flow/default-authentication-flow/").content


@pytest.mark.parametrize("state", ["", "x" * 43, None])
def test_an_answer_without_our_state_is_refused(issuer: Issuer, source: OAuthSource, state: str | None) -> None:
    """Nobody is logged in by a link that somebody else has prepared (login CSRF)."""
    stranger, victim = browser(), browser()
    answer = issuer.log_in(stranger.get(LOGIN)["Location"])
    victim.get(LOGIN)
    response = victim.get(CALLBACK, answer if state is None else {**answer, "state": state})  # S-525

    refused(response, "state")  # type: ignore[arg-type]
    assert logged_in(victim) == ""


def test_a_state_is_used_once(issuer: Issuer, source: OAuthSource) -> None:
    """The same way back twice logs in once, also after an error."""
    client = browser()
    answer = issuer.log_in(client.get(LOGIN)["Location"])
    error = client.get(CALLBACK, {"state": answer["state"], "error": "access_denied"})
    refused(error, "access_denied")  # type: ignore[arg-type]

    refused(client.get(CALLBACK, answer), "state")  # type: ignore[arg-type]


def test_an_answer_of_another_provider_is_refused(issuer: Issuer, source: OAuthSource) -> None:
    """Mixed-up answers are noticed before the code goes anywhere (RFC 9207)."""
    refused(come_back(browser(), issuer, iss="https://evil.test"), "not of")
    away = browser()
    answer = issuer.log_in(away.get(LOGIN)["Location"])
    answer.pop("iss")
    refused(away.get(CALLBACK, answer), "not of")  # type: ignore[arg-type]
    assert not [path for path, _ in issuer.asked if path == "/token"]


@pytest.mark.parametrize(
    ("claim", "value", "word"),
    [
        ("iss", "https://evil.test", "iss"),
        ("aud", "another", "aud"),
        ("aud", ["doorward", "another"], "azp"),
        ("nonce", "another", "nonce"),
        ("nonce", None, "nonce"),
        ("exp", None, "exp"),
        ("exp", 1, "exp"),
        ("iat", None, "iat"),
        ("sub", None, "sub"),
        ("sub", 42, "sub"),
        ("sub", "43", "somebody else"),
        ("at_hash", "wrong", "at_hash"),
    ],
)
def test_an_id_token_has_to_say_the_right_things(
    issuer: Issuer, source: OAuthSource, claim: str, value: object, word: str
) -> None:
    """A token for another client, another login or another time logs nobody in."""
    issuer.id_token[claim] = value  # S-433
    client = browser()

    refused(come_back(client, issuer), word)
    assert logged_in(client) == ""


def test_an_id_token_has_to_be_signed_by_the_issuer(issuer: Issuer, source: OAuthSource) -> None:
    """Another key, a secret in a key's place, and a key that nobody knows."""
    right = issuer.signing_key
    issuer.signing_key = ECKey.generate_key("P-256")
    refused(come_back(browser(), issuer), "signature")  # S-435
    issuer.signing_key, issuer.header = right, {"alg": "ES256", "kid": "../two"}
    refused(come_back(browser(), issuer), "kid")  # S-431
    issuer.header = {"alg": "HS256", "kid": "one"}
    issuer.signing_key = OctKey.import_key(b"x" * 64)
    refused(come_back(browser(), issuer), "alg")  # S-430
    issuer.header = {"alg": "ES256", "kid": "one", "jku": "https://evil.test/keys"}
    issuer.signing_key = ECKey.generate_key("P-256")
    refused(come_back(browser(), issuer), "signature")  # S-431


def test_a_new_key_is_looked_up(issuer: Issuer, source: OAuthSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """An issuer that has changed its key is asked for it, and not at every unknown one (S-447)."""
    enter(browser(), issuer)
    issuer.key = ECKey.generate_key("P-256", parameters={"kid": "two", "alg": "ES256", "use": "sig"})
    issuer.signing_key, issuer.header = issuer.key, {"alg": "ES256", "kid": "two"}
    refused(come_back(browser(), issuer), "kid")
    monkeypatch.setattr(documents, "PAUSE", 0.0)

    assert enter(browser(), issuer).status_code == 302


def test_discovery_has_to_be_of_the_issuer(issuer: Issuer, source: OAuthSource) -> None:
    """A document that speaks for another issuer is not believed."""
    issuer.metadata["issuer"] = "https://evil.test"

    refused(browser().get(LOGIN), "is of the issuer")  # type: ignore[arg-type]


def test_an_unreachable_provider_is_explained(source: OAuthSource) -> None:
    """The visitor hears that it does not work, the administrator why."""
    OAuthSource.objects.update(oidc_well_known_url="http://127.0.0.1:9/.well-known/openid-configuration")

    refused(browser().get(LOGIN), "127.0.0.1:9")  # type: ignore[arg-type]


def test_plain_oauth_goes_by_the_profile(issuer: Issuer, source: OAuthSource) -> None:
    """Without OpenID Connect the profile says who it is, by the preset's rules."""
    OAuthSource.objects.update(
        provider_type="github",
        oidc_well_known_url="",
        authorization_url=f"{issuer.url}/authorize",
        access_token_url=f"{issuer.url}/token",
        profile_url=f"{issuer.url}/userinfo",
    )
    issuer.profile = {"id": 583231, "login": "octocat"}
    client = browser()
    enter(client, issuer)

    assert logged_in(client) == "octocat"
    assert UserSourceConnection.objects.get().identifier == "583231"


def test_groups_come_along(issuer: Issuer, source: OAuthSource) -> None:
    """What the provider says about groups holds from the next login on."""
    issuer.claims["groups"] = ["staff", "editors"]
    enter(browser(), issuer)
    erin = User.objects.get(username="erin")
    assert {group.name for group in erin.groups.all()} == {"staff", "editors"}

    issuer.claims["groups"] = ["staff"]
    enter(browser(), issuer)
    assert {group.name for group in erin.groups.all()} == {"staff"}


def test_secrets_are_sealed(source: OAuthSource) -> None:
    """The database does not hold the client's secret as text, and copied to another row it is worth nothing."""
    stored = OAuthSource.objects.values_list("sealed_consumer_secret", flat=True).get()

    assert "s3cret" not in stored
    assert OAuthSource.objects.get().consumer_secret == "s3cret & more"


def test_no_browser_becomes_a_service_account(issuer: Issuer, source: OAuthSource) -> None:
    """It may be connected for the sake of its programs; whoever logs in at the source under that name stays out."""
    robot = directory.create_user(SYSTEM, username="robot", type=User.Type.SERVICE_ACCOUNT)
    UserSourceConnection.objects.create(source=source, user=robot, identifier="42")
    client = browser()
    assert enter(client, issuer).status_code == 403
    assert logged_in(client) == ""
    assert "service account" in Event.objects.get(action="login_failed").context["reason"]
