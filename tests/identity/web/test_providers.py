"""Providers and outposts on their pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from doorward.identity.applications.actions import create_application
from doorward.identity.applications.models import Application, Provider
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Change, Event
from doorward.identity.flows.models import Flow
from doorward.identity.logins.models import LoginSession
from doorward.identity.oauth2.actions import create_oauth2_provider
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.identity.outposts import queries
from doorward.identity.outposts.actions import update_proxy_provider
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.sources.oauth.actions import create as create_source
from identity.flow_tab import Tab
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()
NEW_PROXY, NEW_CLIENT = "/if/admin/new/proxy-provider/", "/if/admin/new/oauth2-provider/"


@pytest.fixture
def both_flows(flows: None) -> dict[str, Any]:
    """The flows that every provider names."""
    authorize = Flow.objects.get(slug="default-provider-authorization-implicit-consent")
    leave = Flow.objects.get(slug="default-provider-invalidation-flow")
    return {"authorization_flow": authorize.pk, "invalidation_flow": leave.pk}


@pytest.fixture
def forum(both_flows: dict[str, Any]) -> OAuth2Provider:
    made: dict[str, Any] = {name: Flow.objects.get(pk=pk) for name, pk in both_flows.items()}
    uris = [{"matching_mode": "strict", "url": "https://forum.test/cb", "redirect_uri_type": "authorization"}]
    return create_oauth2_provider(SYSTEM, name="Forum", redirect_uris=uris, **made)


def client_form(both_flows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The OAuth2 form as the page fills it in."""
    return {
        "name": "Forum",
        "client_type": "confidential",
        "redirect_uris": "https://forum.test/cb",
        "access_token_validity": "hours=1",
        "refresh_token_validity": "days=30",
        "access_code_validity": "minutes=1",
        "sub_mode": "hashed_user_id",
        "issuer_mode": "per_provider",
        "require_pkce": "on",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "logout_method": "backchannel",
        "client_authentication": "client_secret",
        "refresh_token_threshold": "seconds=0",
        **both_flows,
        **fields,
    }


def proxy_form(both_flows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The proxy form as the page fills it in, with every switch off."""
    return {
        "name": "wiki",
        "external_host": "https://wiki.test/*",
        "mode": "forward_single",
        "access_token_validity": "hours=8",
        "refresh_token_validity": "days=30",
        "idle_limit": "seconds=0",
        **both_flows,
        **fields,
    }


def test_the_list_tells_what_is_missing(admin: Visitor, whoami: Application, forum: OAuth2Provider) -> None:
    """Kind, application and outpost of each; “none” where something was forgotten."""
    text = admin.open("/if/admin/providers/")

    assert "Provider for whoami" in text
    assert "authentik Embedded Outpost" in text
    assert '<span class="badge warn">none</span>' in admin.raw
    assert "Forum" not in admin.open("/if/admin/providers/?q=whoami")


def test_a_proxy_provider_by_hand(admin: Visitor, both_flows: dict[str, Any]) -> None:
    """As in the manuals: provider first, then application, then the outpost; each step leads to the next."""
    text = admin.succeed(NEW_PROXY, **proxy_form(both_flows))
    provider = ProxyProvider.objects.get()
    assert (provider.mode, provider.external_host) == ("forward_single", "https://wiki.test")
    assert f"/if/admin/new/application/?provider={provider.pk}" in text
    assert queries.configuration().providers == ()

    admin.succeed("/if/admin/new/application/", name="Wiki", provider=provider.pk, policy_engine_mode="any")
    assert "no outpost serves it" in admin.open("/if/admin/")

    outpost = reverse("admin-outpost", args=[queries.embedded().pk])
    admin.succeed(outpost, applications=[Application.objects.get().pk])

    assert [served.external_host for served in queries.configuration().providers] == ["https://wiki.test"]
    assert "Not finished" not in admin.open("/if/admin/")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"external_host": "nonsense"}, "beginning with http:// or https://"),
        ({"access_token_validity": "soon"}, "is not a duration; write it like hours=1;minutes=30"),
        ({"access_token_validity": "seconds=0"}, "Longer than nothing."),
        ({"idle_limit": "a while"}, "is not a duration"),
        ({"mode": "forward_domain"}, "The external host does not lie under this domain."),
        ({"mode": "forward_domain", "cookie_domain": "test"}, "browsers keep no cookie for this"),
        ({"mode": "proxy"}, "Internal host cannot be empty"),
        ({"mode": "proxy", "internal_host": "http://10.0.0.7/wiki"}, "Only scheme, host and port"),
        ({"mode": "ldap"}, "Select a valid choice."),
        ({"skip_path_regex": "("}, "is not a regular expression"),
        ({"authorization_flow": ""}, "This field is required."),
        ({"name": "Provider for whoami"}, "already exists"),
    ],
)
def test_a_proxy_provider_that_cannot_be(
    admin: Visitor, whoami: Application, both_flows: dict[str, Any], fields: dict[str, str], text: str
) -> None:
    """400, at the field."""
    assert admin.send(NEW_PROXY, **proxy_form(both_flows, **fields)).status_code == 400
    assert text in admin.text
    assert Provider.objects.count() == 1


def test_every_switch_of_the_outpost_is_on_the_form(
    admin: Visitor, whoami: Application, both_flows: dict[str, Any]
) -> None:
    """Preflights, kept forms, renewal with its limits, the domain with its risk: saved, served, shown."""  # S-341
    page = reverse("admin-proxy-provider-edit", args=[whoami.provider_id])
    fields = proxy_form(
        both_flows,
        external_host="https://login.example.test",
        mode="forward_domain",
        cookie_domain="example.test",
        skip_preflight="on",
        keep_posts="on",
        renew_sessions="on",
        refresh_token_validity="days=7",
        idle_limit="hours=2",
    )

    text = admin.succeed(page, **fields)

    (served,) = queries.configuration().providers
    assert (served.mode, served.cookie_domain) == ("forward_domain", "example.test")
    assert (served.skip_preflight, served.keep_posts) == (True, True)
    assert (served.refresh_token_validity, served.idle_limit) == (7 * 86400.0, 7200.0)
    assert "offline_access" in served.scopes
    assert "every host under it is sent the session cookie" in text
    assert "renewed for days=7" in text
    assert admin.open(page).count(" checked") == 4  # three switches and the mode
    assert Event.objects.filter(action="configuration_warning").exists()

    admin.succeed(page, **proxy_form(both_flows))

    (served,) = queries.configuration().providers
    assert (served.mode, served.skip_preflight, served.keep_posts) == ("forward_single", False, False)
    assert "offline_access" not in served.scopes


def test_a_provider_in_proxy_mode_keeps_its_mode(
    admin: Visitor, whoami: Application, both_flows: dict[str, Any]
) -> None:
    """The form shows the inside URL, changes it, and its page says that nothing is to be pasted anywhere."""
    provider = ProxyProvider.objects.get(application=whoami)
    update_proxy_provider(SYSTEM, provider, mode="proxy", internal_host="http://127.0.0.1:8000")
    page = reverse("admin-proxy-provider-edit", args=[provider.pk])

    assert "http://127.0.0.1:8000" in admin.open(page)
    admin.succeed(page, **proxy_form(both_flows, mode="proxy", internal_host="127.0.0.1:8001"))

    provider.refresh_from_db()
    assert (provider.name, provider.mode, provider.internal_host) == ("wiki", "proxy", "http://127.0.0.1:8001")
    shown = admin.open(reverse("admin-provider", args=[provider.pk]))
    assert "certificate not verified" in shown
    assert "forwardAuth" not in shown


def test_a_change_is_pushed_to_the_data_plane(admin: Visitor, whoami: Application, both_flows: dict[str, Any]) -> None:
    """The outpost is told in the same transaction; the event shows old and new."""
    changes = Change.objects.count()
    fields = proxy_form(
        both_flows,
        name="Provider for whoami",
        external_host="https://app.example.test",
        access_token_validity="hours=24",
        skip_path_regex="^/open$",
        redirect_everything="on",
    )
    admin.succeed(reverse("admin-proxy-provider-edit", args=[whoami.provider_id]), **fields)

    (served,) = queries.configuration().providers
    assert (served.skip_path_regex, served.redirect_everything) == ("^/open$", True)
    assert served.intercept_header_auth is False
    assert Change.objects.count() > changes
    changed = Event.objects.get(action="model_updated", context__model__model_name="proxyprovider")
    assert changed.context["diff"]["skip_path_regex"] == {"previous_value": "", "new_value": "^/open$"}


def test_deleting_a_provider_says_whom_it_leaves_alone(admin: Visitor, whoami: Application) -> None:
    """Its application stays, and leads nowhere."""
    address = reverse("admin-provider-delete", args=[whoami.provider_id])
    assert "The application “whoami” stays" in admin.open(address)

    admin.succeed(address)

    whoami.refresh_from_db()
    assert whoami.provider is None
    assert "“whoami” leads nowhere" in admin.open("/if/admin/")


def test_an_oauth2_provider(admin: Visitor, both_flows: dict[str, Any]) -> None:
    """Redirect URIs are lines; the page of the new one does not show the secret."""
    lines = "https://forum.test/cb\r\nlogout https://forum.test/\r\nregex https://forum\\.test/x/[a-z]+"
    text = admin.succeed(NEW_CLIENT, **client_form(both_flows, redirect_uris=lines))

    provider = OAuth2Provider.objects.get()
    assert [(uri["matching_mode"], uri["redirect_uri_type"]) for uri in provider.redirect_uris] == [
        ("strict", "authorization"),
        ("strict", "logout"),
        ("regex", "authorization"),
    ]
    assert provider.client_id in text
    assert provider.client_secret not in text
    assert "logout https://forum.test/" in text
    assert Event.objects.filter(action="model_created", context__model__model_name="oauth2provider").exists()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"redirect_uris": "javascript:alert(1)"}, "no absolute URI without"),  # S-405
        ({"redirect_uris": "post https://forum.test/cb"}, "one URL per line"),
        ({"redirect_uris": "regex .*"}, "must begin with a scheme and a host"),  # S-403
        ({"client_type": "public", "require_pkce": ""}, "A public client must use PKCE."),
        ({"access_token_validity": "hours=x"}, "is not a number of hours"),
    ],
)
def test_an_oauth2_provider_that_cannot_be(
    admin: Visitor, both_flows: dict[str, Any], fields: dict[str, str], text: str
) -> None:
    """400, at the field."""
    form = {name: value for name, value in client_form(both_flows, **fields).items() if value}

    assert admin.send(NEW_CLIENT, **form).status_code == 400
    assert text in admin.text
    assert not Provider.objects.exists()


def test_the_form_of_an_existing_one_changes_nothing_by_itself(
    admin: Visitor, forum: OAuth2Provider, both_flows: dict[str, Any]
) -> None:
    """What the page shows is what is stored: no event for pressing Save."""
    page = admin.open(reverse("admin-oauth2-provider-edit", args=[forum.pk]))
    assert ">\nhttps://forum.test/cb</textarea>" in page

    admin.succeed(reverse("admin-oauth2-provider-edit", args=[forum.pk]), **client_form(both_flows))

    changed = Event.objects.filter(action="model_updated")
    assert [event.context["diff"].keys() for event in changed] in ([], [{"include_claims_in_id_token"}])


def test_the_application_is_told_its_addresses(admin: Visitor, forum: OAuth2Provider) -> None:
    """Once there is one."""
    page = reverse("admin-provider", args=[forum.pk])
    assert "They exist once an application has this provider." in admin.open(page)
    create_application(SYSTEM, name="Forum", slug="forum", provider=forum)

    assert "https://auth.example.test/application/o/forum/.well-known/openid-configuration" in admin.open(page)


def test_the_secret_is_shown_on_demand_with_an_event(admin: Visitor, forum: OAuth2Provider) -> None:
    """Not in the page, not in the event: only in the answer to the button."""  # S-605
    page = reverse("admin-provider", args=[forum.pk])
    assert forum.client_secret not in admin.open(page)

    admin.send(reverse("admin-oauth2-provider-secret", args=[forum.pk]), at=page)

    assert admin.answer.status_code == 200
    assert forum.client_secret in admin.text
    viewed = Event.objects.get(action="secret_view")
    assert viewed.context["provider"]["name"] == "Forum"
    assert forum.client_secret not in str(viewed.context)
    assert forum.client_secret not in admin.open(page)


def test_a_new_secret_replaces_the_old(admin: Visitor, forum: OAuth2Provider) -> None:
    """It is shown once, with an event of its own."""
    old, page = forum.client_secret, reverse("admin-provider", args=[forum.pk])

    admin.send(reverse("admin-oauth2-provider-secret-new", args=[forum.pk]), at=page)

    forum.refresh_from_db()
    assert forum.client_secret != old
    assert forum.client_secret in admin.text
    assert Event.objects.get(action="secret_rotate").context["provider"]["name"] == "Forum"


@pytest.mark.parametrize("name", ["admin-oauth2-provider-secret", "admin-oauth2-provider-secret-new"])
def test_an_old_login_must_be_proved_again(admin: Visitor, forum: OAuth2Provider, name: str, password: str) -> None:
    """A browser left open shows no secret; after the login one is back at the provider."""  # S-605
    LoginSession.objects.filter(user__isnull=False).update(authenticated_at=timezone.now() - timedelta(hours=1))
    secret, page = forum.client_secret, reverse("admin-provider", args=[forum.pk])

    answer = admin.send(reverse(name, args=[forum.pk]), at=page)

    assert answer.status_code == 302
    admin.client.handler.enforce_csrf_checks = False
    assert Tab(admin.client, answer["Location"]).log_in("akadmin", password) == page
    admin.client.handler.enforce_csrf_checks = True
    assert "within the last 15 minutes" in admin.open(page)
    assert admin.send(reverse(name, args=[forum.pk]), at=page).status_code == 200
    forum.refresh_from_db()
    assert (forum.client_secret == secret) is (name == "admin-oauth2-provider-secret")


def test_an_outpost_serves_what_is_ticked(admin: Visitor, whoami: Application) -> None:
    """And stops serving what is not, at once."""
    page = reverse("admin-outpost", args=[queries.embedded().pk])
    assert "whoami (https://app.example.test)" in admin.open(page)

    admin.succeed(page)

    assert queries.configuration().providers == ()
    assert "“whoami” is not protected: no outpost serves it." in admin.open("/if/admin/")
    assert Event.objects.filter(action="model_updated", user__username="akadmin").count() == 1


def test_paths_can_be_tried_before_rules_are_relied_on(admin: Visitor, whoami: Application) -> None:
    """Rules and paths in, a table with the rule that decides out; a rule that cannot be is said at its field."""
    page = reverse("admin-open-paths", args=[whoami.provider_id])
    admin.send(page, skip_path_regex="^/health$", paths="/health\n/admin")
    assert "rule 1 opens it" in admin.text
    assert "none of 1 applies" in admin.text
    assert admin.send(page, skip_path_regex="(", paths="/").status_code == 400
    assert "is not a regular expression" in admin.text


def test_sources_are_named_on_the_form(admin: Visitor, both_flows: dict[str, Any], forum: OAuth2Provider) -> None:
    """Of providers of both kinds; their pages say so, and a source without an issuer is refused where it is named."""
    usual = {"provider_type": "openidconnect", "consumer_key": "doorward"}
    url = "https://builds.test/.well-known/openid-configuration"
    source = create_source(SYSTEM, {"name": "Builds", "slug": "builds", "oidc_well_known_url": url, **usual})
    plain = create_source(SYSTEM, {"name": "Hub", "slug": "hub", "provider_type": "github", "consumer_key": "doorward"})
    edit = reverse("admin-oauth2-provider-edit", args=[forum.pk])
    assert "Takes tokens of" in admin.succeed(edit, **client_form(both_flows, jwt_federation_sources=source.pk))
    assert list(forum.jwt_federation_sources.all()) == [source]
    assert "Takes tokens of" in admin.succeed(NEW_PROXY, **proxy_form(both_flows, jwt_federation_sources=source.pk))
    wiki = ProxyProvider.objects.get(name="wiki")
    assert list(wiki.jwt_federation_sources.all()) == [source]
    refused = admin.send(edit, **client_form(both_flows, jwt_federation_sources=plain.pk))
    assert (refused.status_code, list(forum.jwt_federation_sources.all())) == (400, [source])
    assert "has no well-known URL" in admin.text


def test_rules_for_paths_that_ask_for_more(admin: Visitor, whoami: Application, both_flows: dict[str, Any]) -> None:
    """A line each in the form; the provider's page shows them, and they can be tried first."""
    edit = reverse("admin-proxy-provider-edit", args=[whoami.provider_id])
    refused = admin.send(edit, **proxy_form(both_flows, step_up_rules="mffa ^/admin"))
    assert refused.status_code == 400 and "none of mfa, phr" in admin.text

    flow = both_flows["authorization_flow"]
    fields = proxy_form(both_flows, step_up_rules="mfa minutes=15 ^/admin(/|$)", step_up_flow=flow)
    shown = admin.succeed(edit, **fields)

    provider = ProxyProvider.objects.get(application=whoami)
    assert provider.step_up_rules[0]["max_age"] == "minutes=15"
    assert queries.configuration().providers[0].step_up[0].max_age == 900.0
    assert "mfa minutes=15 ^/admin(/|$)" in shown and "mfa minutes=15 ^/admin(/|$)" in admin.open(edit)
    assert provider.step_up_flow_id == flow
    page = reverse("admin-open-paths", args=[provider.pk])
    admin.send(page, step_up_rules="phr ^/keys", paths="/keys/1\n/")
    assert "a passkey or security key: rule 1 (^/keys)" in admin.text
