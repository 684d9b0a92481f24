"""A service exchanges the token that it was called with for one of its own (RFC 8693)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.directory.actions import update_user
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.logins.actions import end_all_of
from doorward.identity.oauth2.actions import update_oauth2_provider
from doorward.identity.oauth2.grants.token_exchange import ACCESS_TOKEN, JWT
from doorward.identity.oauth2.models import DEFAULT_GRANTS, TOKEN_EXCHANGE, IssuedToken, ScopeMapping
from doorward.identity.policies.actions import bind
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import Browser, RelyingParty, error_of, payload_of

GRANTS = [*DEFAULT_GRANTS, TOKEN_EXCHANGE]


@pytest.fixture
def service(register: Register, rp: RelyingParty) -> RelyingParty:
    """A service that the application ``rp`` calls, and that trusts it."""
    return register(
        "service", grant_types=GRANTS, exchange_from=[rp.provider], scope_mappings=_scopes("openid", "email")
    )


def _scopes(*names: str) -> list[ScopeMapping]:
    return list(ScopeMapping.objects.filter(scope_name__in=names, managed__isnull=False))


def _exchange(service: RelyingParty, token: str, **changes: str | None) -> Any:
    form: dict[str, str | None] = {"subject_token": token, "subject_token_type": ACCESS_TOKEN, **changes}
    return service.token(grant_type=TOKEN_EXCHANGE, **form)


def test_a_service_gets_a_token_about_its_caller(
    service: RelyingParty, rp: RelyingParty, browser: Browser, bob: User
) -> None:
    """It is about bob, for the service, says who acts, and can be used and introspected like any other."""
    token = rp.tokens(browser, scope="openid profile email")["access_token"]
    answer = _exchange(service, token, audience=service.provider.client_id).json()
    assert (answer["issued_token_type"], answer["token_type"]) == (ACCESS_TOKEN, "Bearer")
    claims = payload_of(answer["access_token"])
    assert (claims["sub"], claims["aud"]) == (bob.uid, service.provider.client_id)
    assert claims["act"] == {"sub": service.provider.client_id}
    assert service.introspect(answer["access_token"])["act"] == claims["act"]
    assert service.userinfo(answer["access_token"]).json()["email"] == "bob@example.test"
    event = Event.objects.filter(action="authorize_application").first()
    assert event is not None and event.context["exchanged_from"] == "rp"


def test_scopes_never_grow(service: RelyingParty, register: Register, rp: RelyingParty, browser: Browser) -> None:
    """Neither by asking, nor by what the service could have had itself; and there is no refresh token."""
    # S-419 S-452
    token = rp.tokens(browser, scope="openid profile offline_access")["access_token"]
    assert error_of(_exchange(service, token, scope="openid email")) == (400, "invalid_scope")
    assert error_of(_exchange(service, token, scope="openid goauthentik.io/api")) == (400, "invalid_scope")
    answer = _exchange(service, token).json()
    assert answer["scope"] == "openid" and "refresh_token" not in answer
    nothing = register("nothing", grant_types=GRANTS, exchange_from=[rp.provider], scope_mappings=_scopes("email"))
    assert error_of(_exchange(nothing, token)) == (400, "invalid_scope")


def test_life_never_grows(service: RelyingParty, rp: RelyingParty, browser: Browser) -> None:
    """The new token ends with the old one at the latest."""  # S-452
    token = rp.tokens(browser)["access_token"]
    IssuedToken.objects.update(expires=timezone.now() + timedelta(seconds=90))
    assert _exchange(service, token).json()["expires_in"] <= 90


@pytest.mark.parametrize("end", ["logout", "deactivated", "revoked", "expired"])
def test_the_subject_token_must_live(
    service: RelyingParty, rp: RelyingParty, browser: Browser, bob: User, end: str
) -> None:
    """What ended for the application is worth nothing to the service, and what was exchanged ends as well."""  # S-452
    tokens = rp.tokens(browser, scope="openid email offline_access")
    exchanged = _exchange(service, tokens["access_token"]).json()["access_token"]
    match end:
        case "logout":
            end_all_of(Actor.system(), bob)
        case "deactivated":
            update_user(Actor.system(), bob, is_active=False)
        case "revoked":
            secret = rp.provider.client_secret
            rp.post("revoke", client_id=rp.provider.client_id, client_secret=secret, token=tokens["refresh_token"])
        case "expired":
            IssuedToken.objects.update(expires=timezone.now())
    assert error_of(_exchange(service, tokens["access_token"])) == (400, "invalid_request")
    assert service.userinfo(exchanged).status_code == 401


def test_only_trusted_clients_tokens(service: RelyingParty, register: Register, browser: Browser) -> None:
    """A token of a client that the service does not trust is refused; trust goes in one direction."""  # S-452
    stranger = register("stranger", grant_types=GRANTS)
    token = stranger.tokens(browser)["access_token"]
    assert error_of(_exchange(service, token)) == (400, "invalid_request")
    own = service.tokens(browser, scope="openid")["access_token"]
    assert error_of(_exchange(stranger, own)) == (400, "invalid_request")
    assert _exchange(service, own).status_code == 200


def test_access_rules_of_the_service(
    service: RelyingParty, rp: RelyingParty, browser: Browser, admins: Group, bob: User
) -> None:
    """Who may not enter the service is not carried in by an application that they may enter."""  # S-421 S-452
    token = rp.tokens(browser)["access_token"]
    bind(Actor.system(), Application.objects.get(slug="service"), group=admins)
    assert error_of(_exchange(service, token)) == (403, "access_denied")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"audience": "somebody-else"}, "invalid_target"),
        ({"resource": "https://api.example.test/"}, "invalid_target"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token": "made-up"}, "invalid_request"),
        ({"actor_token": "x", "actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
    ],
)
def test_what_is_not_exchanged(
    service: RelyingParty, rp: RelyingParty, browser: Browser, changes: dict[str, str | None], error: str
) -> None:
    """Other audiences, other kinds of tokens, and tokens that nobody issued."""  # S-452
    token = rp.tokens(browser)["access_token"]
    assert error_of(_exchange(service, token, **changes)) == (400, error)
    assert error_of(_exchange(service, rp.tokens(browser)["id_token"]))[1] == "invalid_request"


def test_actors_are_a_chain(service: RelyingParty, register: Register, rp: RelyingParty, browser: Browser) -> None:
    """A service behind the service sees both, the nearest first."""
    behind = register("behind", grant_types=GRANTS, exchange_from=[service.provider])
    first = _exchange(service, rp.tokens(browser)["access_token"]).json()["access_token"]
    second = _exchange(behind, first, requested_token_type=JWT).json()["access_token"]
    assert payload_of(second)["act"] == {
        "sub": behind.provider.client_id,
        "act": {"sub": service.provider.client_id},
    }


def test_it_is_off(rp: RelyingParty, register: Register, browser: Browser) -> None:
    """Until the client's grants name it; and a public client never may."""  # S-452
    token = rp.tokens(browser)["access_token"]
    assert error_of(_exchange(rp, token)) == (400, "unauthorized_client")
    document = browser.get("/application/o/rp/.well-known/openid-configuration").json()
    assert TOKEN_EXCHANGE not in document["grant_types_supported"]
    update_oauth2_provider(Actor.system(), rp.provider, grant_types=GRANTS)
    assert _exchange(rp, token).status_code == 200
    public = register("public", client_type="public", grant_types=GRANTS, exchange_from=[rp.provider])
    assert error_of(_exchange(public, token)) == (400, "unauthorized_client")
