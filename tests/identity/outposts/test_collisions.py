"""Two applications never claim one outside URL, however it is written and whichever way they come to it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.outposts import actions, queries
from doorward.identity.outposts.models import ProxyProvider

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def protect(slug: str, url: str, **fields: object) -> ProxyProvider:
    actions.protect(SYSTEM, name=slug, slug=slug, external_host=url, **fields)  # type: ignore[arg-type]
    return ProxyProvider.objects.get(application__slug=slug)


def test_one_host_many_paths(flows: None) -> None:
    """Paths tell applications of one host apart, and each registers both forms of its callback."""
    protect("root", "https://app.example.test")
    wiki = protect("wiki", "https://app.example.test/wiki/*")
    protect("longer", "https://app.example.test/wiki/admin")

    urls = [entry["url"] for entry in wiki.redirect_uris]
    assert "https://app.example.test/wiki/outpost.goauthentik.io/callback?X-authentik-auth-callback=true" in urls
    assert "https://app.example.test/outpost.goauthentik.io/callback?X-authentik-auth-callback=true" in urls
    assert len(queries.configuration().providers) == 3


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("https://app.example.test/Wiki/", {}),
        ("https://APP.example.test:443/wiki/*", {}),
        ("https://app.example.test/wiki", {"mode": "proxy", "internal_host": "http://127.0.0.1:1"}),
    ],
)
def test_the_second_is_refused(flows: None, url: str, fields: dict[str, str]) -> None:
    """In another case, with its default port, in another mode: it is the same place."""
    protect("wiki", "https://app.example.test/wiki")

    with pytest.raises(ValidationError, match="already protected"):
        protect("second", url, **fields)


def test_a_domain_stands_beside_an_application(flows: None) -> None:
    """The same external host for the domain's logins is no collision; the same domain twice is one."""
    domain = {"mode": "forward_domain", "cookie_domain": "example.test"}
    protect("app", "https://app.example.test")
    protect("all", "https://app.example.test", **domain)

    with pytest.raises(ValidationError, match="already protected"):
        protect("again", "https://app.example.test", **{**domain, "cookie_domain": ".EXAMPLE.test"})
    [warning] = Event.objects.filter(action="configuration_warning")  # S-341
    assert "session cookie" in warning.context["message"]


def test_a_change_does_not_lead_to_one(flows: None) -> None:
    """Neither does moving an application to where another one is; staying where it is works."""
    protect("wiki", "https://app.example.test/wiki")
    other = protect("other", "https://app.example.test/other")

    actions.update_proxy_provider(SYSTEM, other, external_host="https://app.example.test/Other")
    with pytest.raises(ValidationError, match="already protected"):
        actions.update_proxy_provider(SYSTEM, other, external_host="https://app.example.test/wiki")


def test_an_assignment_does_not_lead_to_one(flows: None) -> None:
    """An outpost does not get two providers for one place; two outposts may."""
    wiki = protect("wiki", "https://app.example.test/wiki")
    same = actions.create_proxy_provider(
        SYSTEM,
        name="same",
        external_host="https://app.example.test/WIKI",
        authorization_flow=wiki.authorization_flow,
        invalidation_flow=wiki.invalidation_flow,
        mode="forward_single",
    )

    with pytest.raises(ValidationError, match="same external host"):
        actions.assign(SYSTEM, queries.embedded(), [wiki, same])
    actions.create_outpost(SYSTEM, name="elsewhere", providers=[same])


@pytest.mark.parametrize("path", ["/a%20b", "/a/../b", "/./a", "//a", "/a;b", "/a./b", "/a//b"])
def test_a_path_that_servers_read_differently(flows: None, path: str) -> None:
    """Who may enter hangs on the path, so only plain segments are taken."""
    with pytest.raises(ValidationError) as refusal:
        protect("app", f"https://app.example.test{path}")
    assert "external_host" in refusal.value.message_dict


@pytest.mark.parametrize("cookie_domain", ["test", "10.0.0.1", "*.example.test", "example.test;x"])
def test_a_domain_that_browsers_keep_no_cookie_for(flows: None, cookie_domain: str) -> None:
    """Every login would go in circles."""
    host = "https://10.0.0.1" if cookie_domain == "10.0.0.1" else "https://auth.example.test"
    with pytest.raises(ValidationError) as refusal:
        protect("all", host, mode="forward_domain", cookie_domain=cookie_domain)
    assert "cookie_domain" in refusal.value.message_dict
