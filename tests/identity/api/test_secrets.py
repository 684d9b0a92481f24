"""Secrets leave by an action of their own, with an event, to somebody who has just logged in (S-605)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from doorward.identity.directory.models import User


@pytest.fixture
def secrets(admin_api: Any, provider_body: dict[str, Any]) -> dict[str, str]:
    """Every secret of an installation with one of each object that has any."""
    from doorward.identity.crypto.models import CertificateKeyPair
    from doorward.identity.directory.models import User
    from doorward.identity.oauth2.models import OAuth2Provider
    from doorward.identity.outposts.models import ProxyProvider

    made = admin_api.post("providers/proxy/", provider_body)
    admin_api.post("core/applications/", {"name": "Whoami", "slug": "whoami", "provider": made["pk"]})
    proxy = ProxyProvider.objects.get()
    flows = {name: provider_body[name] for name in ("authorization_flow", "invalidation_flow")}
    body = {"name": "rp", "redirect_uris": [{"matching_mode": "strict", "url": "https://rp.example.test/cb"}], **flows}
    admin_api.post("providers/oauth2/", body)
    admin_api.post("outposts/instances/", {"name": "edge", "type": "proxy", "providers": [made["pk"]], "config": {}})
    keys = CertificateKeyPair.objects.all()
    return {
        "client secret of a proxy provider": proxy.client_secret,
        "cookie secret": proxy.cookie_secret,
        "client secret": OAuth2Provider.objects.get(name="rp").client_secret,
        "password hash": User.objects.get(username="akadmin").password,
        **{f"private key {pair.name}": pair.private_key_pem.splitlines()[1] for pair in keys},
    }


def test_no_list_and_no_detail_holds_a_secret(admin_api: Any, secrets: dict[str, str]) -> None:
    """Every list is read whole, and every object in it by itself."""
    from doorward.identity.api.routes import RESOURCES

    keys = {"core/applications": "slug", "flows/instances": "slug", "core/tokens": "identifier"}
    keys |= {"rbac/permissions": "id", "core/authenticated_sessions": "uuid", "core/brands": "brand_uuid"}
    seen = []
    for prefix in RESOURCES:
        page = admin_api.get(f"{prefix}/?page_size=100")
        seen.append(str(page))
        if prefix not in {"outposts/proxy", "rbac/permissions/assigned_by_roles"}:
            seen += [str(admin_api.get(f"{prefix}/{found[keys.get(prefix, 'pk')]}/")) for found in page["results"]]

    everything = "".join(seen)
    assert len(seen) > 60
    for name, secret in secrets.items():
        assert secret not in everything, name
        assert f"'{secret[:20]}" not in everything, name


def test_the_creating_answer_shows_the_client_secret_once(admin_api: Any, provider_body: dict[str, Any]) -> None:
    """Whoever sets the application up needs it then."""
    body = {
        "name": "rp",
        "redirect_uris": [{"matching_mode": "strict", "url": "https://rp.example.test/cb"}],
        "authorization_flow": provider_body["authorization_flow"],
        "invalidation_flow": provider_body["invalidation_flow"],
        "client_secret": "a chosen secret of some length",
    }
    made = admin_api.post("providers/oauth2/", body)

    assert made["client_secret"] == "a chosen secret of some length"
    assert "client_secret" not in admin_api.get(f"providers/oauth2/{made['pk']}/")
    assert "client_secret" not in admin_api.patch(f"providers/oauth2/{made['pk']}/", {"name": "rp2"})


def test_a_reveal_is_an_event(admin_api: Any, secrets: dict[str, str]) -> None:
    """The action shows the secret, and everybody can see that it did."""  # S-605, S-619
    (provider,) = admin_api.get("providers/oauth2/")["results"]
    shown = admin_api.get(f"providers/oauth2/{provider['pk']}/client_secret/")
    assert shown == {"client_secret": secrets["client secret"]}

    (event,) = admin_api.get("events/events/?action=secret_view")["results"]
    assert event["user"]["username"] == "akadmin"
    assert secrets["client secret"] not in str(event)


def test_an_old_login_sees_no_secret(flows: None, akadmin: User) -> None:
    """A browser that was left open shows lists, not keys."""  # S-605
    from django.conf import settings
    from django.http import HttpRequest
    from django.test import Client
    from django.utils import timezone

    from doorward.identity.crypto.models import CertificateKeyPair
    from doorward.identity.logins.actions import log_in
    from doorward.identity.logins.session_store import SessionStore

    request = HttpRequest()
    request.session = SessionStore()
    login = log_in(request, akadmin, methods=("pwd",))
    request.session.save()
    browser = Client(headers={"host": "auth.example.test"})
    browser.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key or ""
    pair = CertificateKeyPair.objects.earliest("created")
    path = f"/api/v3/crypto/certificatekeypairs/{pair.pk}/view_private_key/"
    assert browser.get(path).status_code == 200

    login.authenticated_at = timezone.now() - timedelta(minutes=16)
    login.save()

    response = browser.get(path)
    assert response.status_code == 403
    assert b"Log in again" in response.content


def test_an_outpost_gets_the_secrets_of_what_it_serves(
    admin_api: Any, secrets: dict[str, str], client_with: Any
) -> None:
    """With its own token; and it can read itself and report, and nothing else."""
    from doorward.identity.outposts.models import Outpost

    edge = Outpost.objects.get(name="edge")
    outpost = client_with(admin_api.get(f"core/tokens/ak-outpost-{edge.pk}-api/view_key/")["key"])

    (config,) = outpost.get("outposts/proxy/?page_size=100")["results"]
    assert config["client_secret"] == secrets["client secret of a proxy provider"]
    assert config["cookie_secret"] == secrets["cookie secret"]
    assert config["access_token_validity"] == 86400.0
    rules = [{"path": "^/admin", "factor": "mfa"}]
    admin_api.patch(f"providers/proxy/{config['pk']}/", {"step_up_rules": rules})
    assert outpost.get("outposts/proxy/")["results"] == []  # it would not keep to them
    (itself,) = outpost.get("outposts/instances/")["results"]
    assert itself["name"] == "edge"
    outpost.post("events/events/", {"action": "configuration_error", "app": "authentik.providers.proxy"})
    for path in ("core/users/", "events/events/", "providers/proxy/", "crypto/certificatekeypairs/"):
        assert outpost.call("GET", path).status_code == 403
    assert outpost.call("PATCH", f"outposts/instances/{edge.pk}/", {"name": "x"}).status_code == 403


def test_nobody_can_dress_up_as_an_outpost(admin_api: Any, bob: User) -> None:
    """Neither the type nor a reserved name can be chosen through the API."""  # S-603
    status, body = admin_api.refused("PATCH", f"core/users/{bob.pk}/", {"type": "internal_service_account"})
    assert (status, list(body)) == (400, ["type"])
    name = "ak-outpost-" + "0" * 32
    assert admin_api.call("POST", "core/users/", {"username": name, "name": "x"}).status_code == 400
