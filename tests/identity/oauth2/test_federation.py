"""Programs that come with a token of another issuer, named as a source: who they are, and what is not believed."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey

from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import Group, User
from doorward.identity.egress import documents
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.oauth2.actions import update_oauth2_provider
from doorward.identity.oauth2.failure_counter import client_failures
from doorward.identity.oauth2.models import TOKEN_EXCHANGE, IssuedToken
from doorward.identity.policies.actions import bind
from doorward.identity.sources import arrivals, connections
from doorward.identity.sources.models import OAuthSource, UserSourceConnection
from doorward.identity.sources.oauth import actions as oauth_sources
from doorward.tokens import base64url
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import RelyingParty, error_of, payload_of
from identity.sources.issuer import Issuer, running

SYSTEM = Actor.system()
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
INVALID_CLIENT = (401, "invalid_client")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    documents.forget()
    with running() as issuer:
        # As of a machine's issuer: nobody logs in there.
        issuer.metadata = {"authorization_endpoint": None, "token_endpoint": None, "userinfo_endpoint": None}
        yield issuer


@pytest.fixture
def source(issuer: Issuer) -> OAuthSource:
    return oauth_sources.create(
        SYSTEM,
        {
            "name": "Builds",
            "slug": "builds",
            "provider_type": "openidconnect",
            "consumer_key": "doorward",
            "oidc_well_known_url": f"{issuer.url}/.well-known/openid-configuration",
        },
    )


@pytest.fixture
def rp(register: Register, source: OAuthSource) -> RelyingParty:
    """A client that trusts the source."""
    rp = register(jwt_federation_sources=[source])
    rp.provider.refresh_from_db()
    return rp


@pytest.fixture
def robot(source: OAuthSource) -> User:
    """Known at the source as ``project/main``."""
    robot = directory.create_user(SYSTEM, username="robot", type=User.Type.SERVICE_ACCOUNT)
    UserSourceConnection.objects.create(source=source, user=robot, identifier="project/main")
    return robot


def claims_for(rp: RelyingParty, issuer: Issuer, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    right = {"iss": issuer.url, "sub": "project/main", "aud": rp.provider.client_id, "iat": now, "exp": now + 300}
    return {name: value for name, value in {**right, **changes}.items() if value is not None}


def token_for(rp: RelyingParty, issuer: Issuer, **changes: Any) -> str:
    return jwt.encode(issuer.header, claims_for(rp, issuer, **changes), issuer.signing_key, algorithms=["ES256"])


def come(rp: RelyingParty, token: str, **form: str | None) -> Any:
    """As the program does: it knows the client's name, and no secret."""
    asked = {"client_secret": None, "client_assertion_type": JWT_BEARER, "client_assertion": token, **form}
    return rp.token(grant_type="client_credentials", scope="openid profile", **asked)


def test_whoever_is_connected_is_meant(rp: RelyingParty, issuer: Issuer, robot: User) -> None:
    """The token says a name at the issuer; who that is here, and what is told about them, is ours alone."""
    rogue = {"preferred_username": "akadmin", "groups": ["authentik Admins"], "ak_proxy": {"is_superuser": True}}
    response = come(rp, token_for(rp, issuer, **rogue))
    assert response.status_code == 200, response.content
    tokens = response.json()
    told = payload_of(tokens["access_token"])
    assert (told["preferred_username"], told["groups"], told["aud"]) == ("robot", [], rp.provider.client_id)
    assert "amr" not in told
    assert rp.introspect(tokens["access_token"])["active"] is True
    assert "refresh_token" not in tokens
    event = Event.objects.get(action="login")
    assert (event.user["username"], event.context["auth_method"]) == ("robot", "jwt")
    assert event.context["source"]["name"] == "Builds"


def test_the_clients_secret_may_come_along_and_must_be_right(rp: RelyingParty, issuer: Issuer, robot: User) -> None:
    """A right one changes nothing; a wrong one is wrong."""
    token = token_for(rp, issuer)
    assert come(rp, token, client_secret=rp.provider.client_secret).status_code == 200
    assert error_of(come(rp, token, client_secret="wrong")) == INVALID_CLIENT
    assert error_of(come(rp, token, client_assertion_type="urn:other")) == INVALID_CLIENT


def test_the_tokens_end_with_the_one_that_was_brought(rp: RelyingParty, issuer: Issuer, robot: User) -> None:
    """Not an hour later, as the provider's others."""
    ends = int(time.time()) + 90
    tokens = come(rp, token_for(rp, issuer, exp=ends)).json()
    assert payload_of(tokens["access_token"])["exp"] == ends
    assert tokens["expires_in"] <= 90


def test_a_program_that_comes_again_is_one_event(rp: RelyingParty, issuer: Issuer, robot: User) -> None:
    """With a new token each time, as its issuer makes them."""
    for age in (0, 1, 2):
        assert come(rp, token_for(rp, issuer, iat=int(time.time()) - age)).status_code == 200
    assert Event.objects.filter(action="login").count() == 1
    assert IssuedToken.objects.values("family").distinct().count() == 1


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("another issuer's name", {"iss": "https://elsewhere.example"}),  # S-433: exactly
    ("the same with a slash", {"iss": "SLASH"}),
    ("no issuer", {"iss": None}),
    ("an issuer that is no text", {"iss": 5}),
    ("for another client of the issuer", {"aud": "doorward"}),
    ("for nobody", {"aud": None}),
    ("for an empty list", {"aud": []}),
    ("for us and another", {"aud": ["OURS", "other-client"]}),
    ("no end", {"exp": None}),
    ("ended", {"exp": 1000}),
    ("an end that is no number", {"exp": "2099-01-01"}),
    ("an end that is true", {"exp": True}),
    ("not begun", {"nbf": 32503680000}),
    ("from the future", {"iat": 32503680000}),
    ("nobody's", {"sub": None}),
    ("a nameless one's", {"sub": ""}),
    ("a number's", {"sub": 42}),
    ("a browser's ID token", {"nonce": "n"}),
    ("an ID token", {"at_hash": "h"}),
    ("a log-out token", {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}),  # S-444
    ("for the holder of a key", {"cnf": {"jkt": "k"}}),
]


def test_what_is_not_believed(rp: RelyingParty, issuer: Issuer, robot: User) -> None:
    """Signed by the right key, and still no login; each time an event says why."""  # S-433, S-444
    for what, changes in WRONG:
        if changes.get("iss") == "SLASH":
            changes = {"iss": f"{issuer.url}/"}
        if isinstance(changes.get("aud"), list):
            changes = {"aud": [rp.provider.client_id if name == "OURS" else name for name in changes["aud"]]}
        assert error_of(come(rp, token_for(rp, issuer, **changes))) == INVALID_CLIENT, what
        client_failures.forget()
    assert not IssuedToken.objects.exists()
    reasons = [event.context["reason"] for event in Event.objects.filter(action="login_failed")]
    assert len(reasons) == len(WRONG) and all(reasons)


def test_it_may_be_for_the_issuer_of_the_provider(rp: RelyingParty, issuer: Issuer, robot: User) -> None:
    """Some issuers only write addresses into ``aud``; the clock may be a minute late."""
    address = f"https://auth.example.test/application/o/{rp.provider.name}/"
    for audience in (address, [address, rp.provider.client_id]):
        assert come(rp, token_for(rp, issuer, aud=audience, iat=int(time.time()) + 30)).status_code == 200


def test_how_it_is_signed(rp: RelyingParty, issuer: Issuer, robot: User) -> None:
    """By a key of the issuer, with the algorithm of that key, whatever the token would like."""
    claims = json.dumps(claims_for(rp, issuer)).encode()
    stranger = ECKey.generate_key("P-256")
    public = issuer.key.as_pem(private=False)
    good = token_for(rp, issuer)
    head, body, signature = good.split(".")
    none, hmac_head = base64url.encode(b'{"alg":"none"}'), base64url.encode(b'{"alg":"HS256","kid":"one"}')
    tokens = [
        f"{none}.{body}.",  # S-429
        f"{none}.{body}.{signature}",
        f"{head}.{body}.",
        f"{hmac_head}.{body}.{base64url.encode(hmac.digest(public, f'{hmac_head}.{body}'.encode(), 'sha256'))}",
        jws.serialize_compact({"alg": "ES256", "kid": "one"}, claims, stranger),
        jws.serialize_compact({"alg": "ES256", "kid": "one", "jwk": stranger.as_dict(private=False)}, claims, stranger),
        jws.serialize_compact({"alg": "ES256", "kid": "../../etc/passwd"}, claims, issuer.key),  # S-431
        jws.serialize_compact({"alg": "RS256", "kid": "one"}, claims, RSAKey.generate_key(2048)),
        f"{head}.{body}.{base64url.encode(bytes(64))}",  # S-435
        f"{good}AA",
        f"{good}.{body}",
        good + "A" * 17000,  # S-434
        f"{head}.{body}",
        "x",
    ]
    for token in tokens:
        # S-430, S-432
        assert error_of(come(rp, token))[1] == "invalid_client", token[:80]
        client_failures.forget()
    assert come(rp, good).status_code == 200


def test_unknown_keys_are_asked_for_once(rp: RelyingParty, issuer: Issuer, robot: User) -> None:
    """A new key is found, also where its address has moved; a flood of unknown ones asks nothing."""  # S-447
    assert come(rp, token_for(rp, issuer)).status_code == 200
    for number in range(5):
        issuer.header = {"alg": "ES256", "kid": f"unknown-{number}"}
        assert error_of(come(rp, token_for(rp, issuer))) == INVALID_CLIENT
    assert [path for path, _ in issuer.asked].count("/jwks") == 1
    documents.forget()
    assert error_of(come(rp, token_for(rp, issuer))) == INVALID_CLIENT
    assert [path for path, _ in issuer.asked].count("/jwks") == 2


def test_an_issuer_that_is_not_trusted_is_not_asked(register: Register, source: OAuthSource, issuer: Issuer) -> None:
    """Nothing of a token makes us ask anybody."""  # S-431
    rp = register("other")
    token = token_for(rp, issuer)
    assert error_of(come(rp, token)) == INVALID_CLIENT
    assert not issuer.asked


def test_the_issuer_is_away(rp: RelyingParty, source: OAuthSource, issuer: Issuer, robot: User) -> None:
    """Nobody is recognised, and administrators read why."""
    issuer.metadata = {"issuer": "https://elsewhere.example"}
    assert error_of(come(rp, token_for(rp, issuer))) == INVALID_CLIENT
    assert "elsewhere.example" in Event.objects.get(action="login_failed").context["reason"]


def test_strangers_of_the_issuer(rp: RelyingParty, issuer: Issuer) -> None:
    """An application without rules lets in everybody who has an account here; they have none. Once the account that
    stands for all of them is bound to the application, they may enter as it, and no longer than that."""
    token = token_for(rp, issuer, sub="somebody/else")
    assert error_of(come(rp, token)) == INVALID_CLIENT
    refused = Event.objects.get(action="login_failed").context
    assert refused["identifier"] == "somebody/else"
    assert "ak-rp@builds" in refused["reason"]
    everybody = User.objects.get(username="ak-rp@builds")
    assert everybody.type == User.Type.SERVICE_ACCOUNT
    group = Group.objects.create(name="robots")
    directory.add_member(SYSTEM, group, everybody)
    bind(SYSTEM, rp.provider.application, group=group)
    response = come(rp, token)
    assert response.status_code == 200, response.content
    access_token = response.json()["access_token"]
    assert payload_of(access_token)["preferred_username"] == "ak-rp@builds"
    assert rp.introspect(access_token)["active"] is True
    directory.remove_member(SYSTEM, group, everybody)
    assert rp.introspect(access_token)["active"] is False
    assert error_of(come(rp, token)) == INVALID_CLIENT


def test_a_person_of_that_name_stands_for_nobody(rp: RelyingParty, issuer: Issuer) -> None:
    """Whoever takes the name of the account for strangers first lends them nothing."""
    person = directory.create_user(SYSTEM, username="ak-rp@builds")
    bind(SYSTEM, rp.provider.application, user=person)
    assert error_of(come(rp, token_for(rp, issuer))) == INVALID_CLIENT


def test_rules_of_application_and_source_count(
    rp: RelyingParty, source: OAuthSource, issuer: Issuer, robot: User, bob: User
) -> None:
    """Whoever they are, and whoever says so."""
    bind(SYSTEM, source, user=bob)
    assert error_of(come(rp, token_for(rp, issuer))) == INVALID_CLIENT
    bind(SYSTEM, source, user=robot, order=1)
    assert come(rp, token_for(rp, issuer)).status_code == 200
    bind(SYSTEM, rp.provider.application, user=bob)
    assert error_of(come(rp, token_for(rp, issuer))) == (403, "access_denied")


def test_a_deactivated_user(rp: RelyingParty, issuer: Issuer, robot: User) -> None:
    """Is not replaced by the one for strangers."""  # S-420
    everybody = directory.create_user(SYSTEM, username="ak-rp@builds", type=User.Type.SERVICE_ACCOUNT)
    for user in (everybody, robot):
        bind(SYSTEM, rp.provider.application, user=user)
    directory.update_user(SYSTEM, robot, is_active=False)
    assert error_of(come(rp, token_for(rp, issuer))) == INVALID_CLIENT


@pytest.mark.parametrize("way", ["disabled", "deleted", "not trusted", "disconnected", "another name there"])
def test_what_ends_it(rp: RelyingParty, source: OAuthSource, issuer: Issuer, robot: User, way: str) -> None:
    """The next token is refused, and those that were given are worth nothing."""  # S-526
    token = token_for(rp, issuer)
    access_token = come(rp, token).json()["access_token"]
    match way:
        case "disabled":
            oauth_sources.update(SYSTEM, source, {"enabled": False})
        case "deleted":
            oauth_sources.delete(SYSTEM, source)
        case "not trusted":
            update_oauth2_provider(SYSTEM, rp.provider, jwt_federation_sources=[])
        case "another name there":
            connections.reidentify(SYSTEM, UserSourceConnection.objects.get(user=robot), "project/other")
        case _:
            arrivals.unlink(SYSTEM, UserSourceConnection.objects.get(user=robot))
    assert rp.introspect(access_token) == {"active": False}
    assert rp.userinfo(access_token).status_code == 401
    assert error_of(come(rp, token)) == INVALID_CLIENT


def test_a_token_in_exchange_ends_with_the_source(
    rp: RelyingParty, register: Register, source: OAuthSource, issuer: Issuer, robot: User
) -> None:
    """A service that trusts this client need not trust the source; but the source stands behind its token too."""
    grants = ["client_credentials", TOKEN_EXCHANGE]
    service = register("service", grant_types=grants, exchange_from=[rp.provider])
    first = come(rp, token_for(rp, issuer)).json()["access_token"]
    exchanged = service.token(
        grant_type=TOKEN_EXCHANGE,
        subject_token=first,
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
    )
    assert exchanged.status_code == 200, exchanged.content
    second = exchanged.json()["access_token"]
    assert service.introspect(second)["active"] is True
    oauth_sources.update(SYSTEM, source, {"enabled": False})
    assert service.introspect(second) == {"active": False}


def test_wrong_tokens_are_counted(rp: RelyingParty, issuer: Issuer, robot: User) -> None:
    """Like wrong secrets."""
    wrong = token_for(rp, issuer, aud="doorward")
    while come(rp, wrong).status_code == 401:
        pass
    assert come(rp, token_for(rp, issuer)).status_code == 429


def test_only_sources_with_an_issuer(rp: RelyingParty, source: OAuthSource) -> None:
    """A source without one cannot say whose tokens are its own; and no two say it of the same."""
    plain = oauth_sources.create(
        SYSTEM, {"name": "Hub", "slug": "hub", "provider_type": "github", "consumer_key": "doorward"}
    )
    twin = oauth_sources.create(
        SYSTEM,
        {
            "name": "Twin",
            "slug": "twin",
            "provider_type": "openidconnect",
            "consumer_key": "doorward",
            "oidc_well_known_url": source.oidc_well_known_url,
        },
    )
    for sources in ([plain], [source, twin]):
        with pytest.raises(ValidationError, match="jwt_federation_sources"):
            update_oauth2_provider(SYSTEM, rp.provider, jwt_federation_sources=sources)


def test_a_binding_that_has_ended_opens_nothing(rp: RelyingParty, issuer: Issuer) -> None:
    """Also for strangers."""
    everybody = directory.create_user(SYSTEM, username="ak-rp@builds", type=User.Type.SERVICE_ACCOUNT)
    ended = timezone.now() - timedelta(seconds=1)
    bind(SYSTEM, rp.provider.application, user=everybody, expires=ended, expiring=True)
    assert error_of(come(rp, token_for(rp, issuer))) == INVALID_CLIENT
