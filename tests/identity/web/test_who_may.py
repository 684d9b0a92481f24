"""S-601: every page behind the login, and who may see it. A page without an entry in this table fails the test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from doorward.identity.access_requests.actions import set_offer
from doorward.identity.access_requests.models import AccessRequest
from doorward.identity.applications.entitlements import create_entitlement
from doorward.identity.applications.models import Application
from doorward.identity.authenticators.actions import set_recovery_codes
from doorward.identity.authenticators.recovery_codes import generate
from doorward.identity.blueprints.models import BlueprintInstance
from doorward.identity.brands.models import Brand
from doorward.identity.crypto.queries import signing_key
from doorward.identity.directory.actions import create_token, create_user
from doorward.identity.directory.models import Group, Token, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow
from doorward.identity.logins.models import LoginSession
from doorward.identity.notifications.models import Notification, Rule, Transport, WebhookMapping
from doorward.identity.oauth2.actions import create_oauth2_provider
from doorward.identity.oauth2.models import OAuth2Provider, RegistrationToken
from doorward.identity.oauth2.registration_tokens import create_registration_token
from doorward.identity.outposts import queries
from doorward.identity.policies import reputation
from doorward.identity.policies.actions import bind
from doorward.identity.policies.models import Policy, Reputation
from doorward.identity.roles.actions import assign, create_role
from doorward.identity.sources.ldap.models import LDAPSource
from doorward.identity.sources.models import OAuthSource
from doorward.identity.stages.models import Invitation, Prompt
from doorward.identity.web.urls import ADMIN, OWN
from identity import proxied
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db

PAGES = {
    "admin": [],
    "admin-protect": [],
    "admin-reach": [],
    "admin-protected": ["slug"],
    "admin-applications": [],
    "admin-application": ["slug"],
    "admin-application-edit": ["slug"],
    "admin-application-delete": ["slug"],
    "admin-application-offer": ["slug"],
    "admin-binding-edit": ["slug", "binding"],
    "admin-binding-remove": ["slug", "binding"],
    "admin-new-entitlement": ["slug"],
    "admin-entitlement": ["slug", "entitlement"],
    "admin-entitlement-delete": ["slug", "entitlement"],
    "admin-providers": [],
    "admin-provider": ["provider"],
    "admin-provider-delete": ["provider"],
    "admin-proxy-provider-edit": ["provider"],
    "admin-open-paths": ["provider"],
    "admin-oauth2-provider-edit": ["client"],
    "admin-registrations": [],
    "admin-registration-delete": ["registration"],
    "admin-new-registration": [],
    "admin-outposts": [],
    "admin-new-outpost": [],
    "admin-outpost": ["outpost"],
    "admin-users": [],
    "admin-user": ["user"],
    "admin-users-import": [],
    "admin-user-edit": ["user"],
    "admin-user-password": ["user"],
    "admin-user-factor-remove": ["careful", "own_factor"],
    "admin-user-impersonate": ["user"],
    "admin-user-deactivate": ["user"],
    "admin-user-delete": ["user"],
    "admin-groups": [],
    "admin-group": ["group"],
    "admin-group-edit": ["group"],
    "admin-group-delete": ["group"],
    "admin-roles": [],
    "admin-role": ["role"],
    "admin-role-edit": ["role"],
    "admin-role-delete": ["role"],
    "admin-new-role": [],
    "admin-keys": [],
    "admin-key": ["key"],
    "admin-key-import": [],
    "admin-key-delete": ["key"],
    "admin-new-key": [],
    "admin-invitations": [],
    "admin-invitation-delete": ["invitation"],
    "admin-new-invitation": [],
    "admin-sessions": [],
    "admin-tokens": [],
    "admin-token-delete": ["token"],
    "admin-flows": [],
    "admin-flow": ["flow"],
    "admin-flow-edit": ["flow"],
    "admin-flow-delete": ["flow"],
    "admin-flow-tried": ["flow"],
    "admin-flow-access-edit": ["bound_flow", "flow_binding"],
    "admin-flow-access-remove": ["bound_flow", "flow_binding"],
    "admin-flow-stage-new": ["flow"],
    "admin-flow-stage": ["bound_flow", "place"],
    "admin-flow-stage-remove": ["bound_flow", "place"],
    "admin-flow-stage-access-edit": ["bound_flow", "place", "place_binding"],
    "admin-flow-stage-access-remove": ["bound_flow", "place", "place_binding"],
    "admin-stages": [],
    "admin-stage": ["stage"],
    "admin-stage-delete": ["stage"],
    "admin-prompts": [],
    "admin-policies": [],
    "admin-reputations": [],
    "admin-policy": ["policy"],
    "admin-policy-delete": ["policy"],
    "admin-prompt": ["prompt"],
    "admin-prompt-delete": ["prompt"],
    "admin-blueprints": [],
    "admin-blueprints-apply": [],
    "admin-blueprint": ["blueprint"],
    "admin-blueprint-delete": ["blueprint"],
    "admin-blueprint-of": ["object_kind", "flow"],
    "admin-sources": [],
    "admin-source": ["oauth_source"],
    "admin-source-delete": ["oauth_source"],
    "admin-source-access-edit": ["oauth_source", "source_binding"],
    "admin-source-access-remove": ["oauth_source", "source_binding"],
    "admin-new-source": [],
    "admin-new-source-of": ["source_kind"],
    "admin-directory": ["directory"],
    "admin-directory-delete": ["directory"],
    "admin-new-directory": [],
    "admin-brands": [],
    "admin-brand": ["brand"],
    "admin-brand-delete": ["brand"],
    "admin-new-brand": [],
    "admin-letters": [],
    "admin-letter": ["letter"],
    "admin-events": [],
    "admin-event": ["event"],
    "admin-events-record": [],
    "admin-notifications": [],
    "admin-notification-rule": ["rule"],
    "admin-notification-rule-delete": ["rule"],
    "admin-notification-transport": ["transport"],
    "admin-notification-transport-delete": ["transport"],
    "admin-notification-mapping": ["mapping"],
    "admin-notification-mapping-delete": ["mapping"],
    "admin-new-notification-rule": [],
    "admin-new-notification-transport": [],
    "admin-new-notification-mapping": [],
    "admin-settings": [],
    "admin-explain": [],
    "admin-decision": ["request_id"],
    "admin-application-headers": ["slug"],
    "admin-application-examine": ["slug"],
    "admin-new-application": [],
    "admin-new-proxy-provider": [],
    "admin-new-oauth2-provider": [],
    "admin-new-user": [],
    "admin-new-service-account": [],
    "admin-new-group": [],
    "admin-new-token": [],
    "admin-new-flow": [],
    "admin-new-stage": [],
    "admin-new-stage-of": ["kind"],
    "admin-new-prompt": [],
    "admin-new-policy": [],
    "admin-new-policy-of": ["policy_kind"],
}
"""Pages of the administrators: name of the address, and of what fills it in."""
ACTIONS = {
    "admin-directory-sync": ["directory"],
    "admin-source-switch": ["oauth_source"],
    "admin-source-access-add": ["oauth_source"],
    "admin-blueprint-apply": ["blueprint"],
    "admin-blueprint-switch": ["blueprint"],
    "admin-binding-add": ["slug"],
    "admin-letter-test": ["letter", "language"],
    "admin-entitlement-holder-add": ["slug", "entitlement"],
    "admin-entitlement-holder-remove": ["slug", "entitlement", "holder"],
    "admin-notification-rule-bind": ["rule"],
    "admin-notification-rule-unbind": ["rule", "rule_binding"],
    "admin-notification-transport-test": ["transport"],
    "admin-oauth2-provider-secret": ["client"],
    "admin-oauth2-provider-secret-new": ["client"],
    "admin-key-rotate": ["key"],
    "admin-key-private": ["key"],
    "admin-user-recovery": ["user"],
    "admin-user-activate": ["user"],
    "admin-user-logins-end": ["user"],
    "admin-user-login-end": ["user", "login"],
    "admin-role-permissions": ["role"],
    "admin-role-grant-remove": ["role", "grant"],
    "admin-role-holder-add": ["role"],
    "admin-role-user-remove": ["role", "user"],
    "admin-role-group-remove": ["role", "group"],
    "admin-session-end": ["session"],
    "admin-reputation-forgive": ["reputation"],
    "admin-login-end": ["login"],
    "admin-member-add": ["group"],
    "admin-member-remove": ["group", "user"],
    "admin-flow-try": ["flow"],
    "admin-flow-access-add": ["bound_flow"],
    "admin-flow-stage-move": ["bound_flow", "place"],
    "admin-flow-stage-access-add": ["bound_flow", "place"],
}
"""What only takes a form."""
FILES = {
    "admin-key-certificate": ["key"],
    "admin-users-export": [],
    "admin-letter-html": ["letter", "language"],
    "admin-events-export": [],
    "admin-user-data": ["user"],
}
"""What is downloaded."""
OWN_PAGES = {
    "home": [],
    "library": [],
    "launch": ["slug"],
    "account": [],
    "own-password": [],
    "own-requests": [],
    "own-request": ["own_request"],
    "own-request-new": ["slug"],
    "own-token-new": [],
    "own-token-delete": ["own_token"],
    "own-notifications": [],
    "own-factors": [],
    "own-factor": ["own_factor"],
    "own-factor-remove": ["own_factor"],
    "own-sources": [],
    "own-source-confirm": ["source"],
}
OWN_FILES: dict[str, list[str]] = {"own-data": []}
OWN_ACTIONS = {
    "own-impersonation-end": [],
    "own-logins-end": [],
    "own-login-end": ["own_login"],
    "own-session-end": ["session"],
    "own-notifications-see-all": [],
    "own-notification-see": ["own_notification"],
    "own-browsers-forget": [],
    "own-browser-forget": ["own_browser"],
    "own-source-connect": ["source"],
    "own-source-disconnect": ["own_connection"],
}


@dataclass
class World:
    """One object of every kind, by the name that the tables use."""

    keys: dict[str, object]

    def address(self, name: str, of: list[str]) -> str:
        return reverse(name, args=[self.keys[key] for key in of])


def a_reputation() -> Reputation:
    """Of whoever failed to log in just now."""
    reputation.failed(None, "guessed", "192.0.2.1")
    return Reputation.objects.get(identifier="guessed")


def a_registration_token() -> RegistrationToken:
    """With which one program may register itself."""
    flow = Flow.objects.get(slug="default-provider-authorization-implicit-consent")
    leave = Flow.objects.get(slug="default-provider-invalidation-flow")
    return create_registration_token(
        Actor.system(),
        name="notes",
        authorization_flow=flow,
        invalidation_flow=leave,
        expires=timezone.now() + timedelta(days=1),
        hosts=["notes.example.test"],
    )[0]


@pytest.fixture
def world(whoami: Application, akadmin: User, bob: User, staff: Group) -> World:
    actor = Actor.system()
    flow = Flow.objects.get(slug="default-provider-authorization-implicit-consent")
    client = create_oauth2_provider(actor, name="forum", authorization_flow=flow, invalidation_flow=flow)
    token, _ = create_token(actor, user=akadmin, identifier="theirs", intent=Token.Intent.API)
    own_token, _ = create_token(actor, user=bob, identifier="bobs", intent=Token.Intent.API)
    # Of somebody who does not log in here: whoever has a factor is asked for it.
    careful = create_user(actor, username="careful")
    own_factor = set_recovery_codes(actor, careful, generate(), name="Recovery codes")
    binding = whoami.bindings.get()
    source = OAuthSource.objects.create(name="Forge", slug="forge", provider_type="github", consumer_key="doorward")
    entitlement = create_entitlement(actor, whoami, name="editor")
    role = create_role(actor, name="readers")
    (grant,) = assign(actor, role, ["authentik_core.view_user"], str(bob.pk))
    bound = Flow.objects.get(slug="default-provider-authorization-explicit-consent")
    place = bound.stage_bindings.get()
    event = Event.objects.latest("created")
    rule = Rule.objects.create(name="somebody is told")
    return World(
        {
            "slug": whoami.slug,
            "own_request": a_request(whoami, bob, akadmin).pk,
            "key": signing_key().pk,
            "source": "upstream",
            "own_connection": 1,
            "role": role.pk,
            "grant": grant.pk,
            "provider": whoami.provider_id,
            "client": client.pk,
            "outpost": queries.embedded().pk,
            "user": bob.pk,
            "group": staff.pk,
            "binding": binding.pk,
            "entitlement": entitlement.pk,
            "holder": bind(actor, entitlement, group=staff).pk,
            "token": token.identifier,
            "own_token": own_token.identifier,
            "own_factor": own_factor.uuid,
            "careful": careful.pk,
            "own_browser": own_factor.uuid,
            "flow": flow.slug,
            "bound_flow": bound.slug,
            "flow_binding": bind(actor, bound, group=staff).pk,
            "place": place.uuid,
            "place_binding": bind(actor, place, group=staff).pk,
            "stage": place.stage_id,
            "prompt": Prompt.objects.earliest("name").pk,
            "kind": "deny",
            "policy": Policy.objects.earliest("name").pk,
            "policy_kind": "expression",
            "reputation": a_reputation().pk,
            "invitation": Invitation.objects.create(name="carol").pk,
            "blueprint": BlueprintInstance.objects.create(name="rules", content="version: 1\nentries: []").pk,
            "object_kind": "flow",
            "registration": a_registration_token().pk,
            "directory": LDAPSource.objects.create(
                name="Company", slug="company", server_uri="ldap://127.0.0.1:1", base_dn="dc=test"
            ).slug,
            "oauth_source": source.slug,
            "source_kind": OAuthSource.KIND,
            "source_binding": bind(actor, source, group=staff).pk,
            "brand": Brand.objects.create(domain="shop.example.test").pk,
            "letter": "invitation",
            "language": "de",
            "event": event.pk,
            "rule": rule.pk,
            "rule_binding": bind(actor, rule, policy=Policy.objects.earliest("name")).pk,
            "transport": Transport.objects.create(name="chat").pk,
            "mapping": WebhookMapping.objects.create(name="body", expression="return {}").pk,
            "own_notification": Notification.objects.create(user=bob, severity="notice", body="Hello").pk,
            "request_id": "0123456789abcdef",
            "session": proxied.enter(proxied.log_in(bob), whoami).id_hash.hex(),
            "login": proxied.log_in(bob).pk,
            "own_login": proxied.log_in(bob).pk,
        }
    )


def a_request(application: Application, user: User, decider: User) -> AccessRequest:
    """Of ``user``, whom nobody has answered yet."""
    set_offer(Actor.system(), application, enabled=True, longest="days=1", approver_users=[decider], approver_groups=[])
    until = timezone.now() + timedelta(hours=1)
    return AccessRequest.objects.create(application=application, user=user, reason="to look", until=until)


def names(patterns: list[URLPattern | URLResolver]) -> set[str | None]:
    return {pattern.name for pattern in patterns if isinstance(pattern, URLPattern)}


def test_every_page_stands_in_the_table() -> None:
    """A new page must say whom it is for."""
    assert names(ADMIN) == PAGES.keys() | ACTIONS.keys() | FILES.keys()
    assert names(OWN) == OWN_PAGES.keys() | OWN_ACTIONS.keys() | OWN_FILES.keys()


@pytest.mark.parametrize("name", [*PAGES, *ACTIONS, *FILES, *OWN_PAGES, *OWN_ACTIONS, *OWN_FILES])
def test_strangers_are_sent_to_log_in(world: World, name: str) -> None:
    """And come back to the page that they wanted."""
    stranger = Visitor()
    table = PAGES | FILES | OWN_PAGES | OWN_FILES
    if name in table:
        address = world.address(name, table[name])
        answer = stranger.get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/flows/-/default/authentication/?next=%2F")
    else:
        address = world.address(name, (ACTIONS | OWN_ACTIONS)[name])
        assert stranger.client.post(address).status_code == 403  # no token of any session
        assert stranger.get(address).status_code == 405


@pytest.mark.parametrize("name", [*PAGES, *ACTIONS, *FILES])
def test_users_are_refused(world: World, name: str, password: str) -> None:
    """403, with a page that says for whom it is; a form changes nothing."""
    bob, events = Visitor("bob", password), Event.objects.count()
    address = world.address(name, (PAGES | ACTIONS | FILES)[name])
    if name in PAGES | FILES:
        assert bob.get(address).status_code == 403
        assert "These pages are for administrators." in bob.text
    answer = bob.send(address, at="/if/user/account/")
    assert answer.status_code in {403, 405}
    assert Event.objects.count() == events


@pytest.mark.parametrize("name", PAGES)
def test_administrators_see_them(world: World, admin: Visitor, name: str) -> None:
    """Each has a title, one heading of the first rank, no inline script or style, and is nobody else's to keep."""
    text = admin.open(world.address(name, PAGES[name]))

    assert text.count("<h1") == 1
    assert "<title></title>" not in text
    assert " style=" not in text
    assert "<script>" not in text
    assert " onclick" not in text
    assert admin.answer["Cache-Control"] == "no-store"
    assert admin.answer["X-Frame-Options"] == "DENY"  # S-532
    assert "frame-ancestors 'none'" in admin.answer["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["own-token-delete", "own-login-end"])
def test_what_belongs_to_others_is_not_there(world: World, visiting_bob: Visitor, akadmin: User, name: str) -> None:
    """404, not 403: bob does not learn that it exists."""  # S-602
    login = proxied.log_in(akadmin).pk
    other = "theirs" if name == "own-token-delete" else login

    answer = visiting_bob.send(reverse(name, args=[other]), at="/if/user/account/")

    assert answer.status_code == 404
    assert Token.objects.filter(identifier="theirs").exists()
    assert LoginSession.objects.filter(pk=login).exists()


@pytest.mark.parametrize("name", ["admin-provider", "admin-oauth2-provider-edit", "admin-user", "admin-application"])
def test_what_does_not_exist_is_not_found(admin: Visitor, name: str) -> None:
    """404 with a page."""
    assert admin.get(reverse(name, args=["none" if name == "admin-application" else 99999])).status_code == 404


def test_a_proxy_provider_has_no_secret_to_show(world: World, admin: Visitor) -> None:
    """Its secret is between us and the outpost."""
    address = reverse("admin-oauth2-provider-secret", args=[world.keys["provider"]])

    assert admin.send(address, at="/if/user/account/").status_code == 404
    assert OAuth2Provider.objects.filter(pk=str(world.keys["provider"])).exists()
