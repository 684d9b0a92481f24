"""The table of permissions: what a role may hold, by the names that the world has for them.

A permission is ``<application>.<verb>_<kind>``; the four plain verbs are view, add, change and delete. What is not in
the table cannot be given away: whoever may write flows, stages, policies, brands, scope mappings or certificates can
log in as anybody, so that stays with superusers (S-603, S-612), and so does every secret (S-605).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from django.apps import apps
from django.db.models import Model
from django.utils.translation import gettext, gettext_noop

from doorward.identity.events.subjects import labels

ALL = ("view", "add", "change", "delete")
READ = ("view",)


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that permissions are about."""

    model: str
    """Django's label of the model; empty for the program as a whole."""
    app: str
    name: str
    english: str
    """One of them, for people; marked for translation."""
    verbs: tuple[str, ...] = READ
    special: dict[str, str] = field(default_factory=dict)
    """Codename → words, marked for translation, of what is neither of the four verbs."""

    @property
    def label(self) -> str:
        return f"{self.app}.{self.name}"

    @property
    def words(self) -> str:
        """One of them, in the language that is spoken: machines are spoken to in English."""
        return gettext(self.english)


@dataclass(frozen=True, slots=True)
class Permission:
    name: str
    """``<application>.<codename>``."""
    codename: str
    verb: str
    """One of the four plain ones; empty for what is neither."""
    kind: Kind

    @property
    def id(self) -> int:
        """A number for clients that want one; the same in every installation."""
        return zlib.crc32(self.name.encode())

    @property
    def words(self) -> str:
        """What it permits, in the language that is spoken."""
        if not self.verb:
            return gettext(self.kind.special[self.codename])
        return gettext(_VERBS[self.verb]) % {"kind": self.kind.words}


KINDS = (
    Kind(
        "directory.User",
        "authentik_core",
        "user",
        gettext_noop("user"),
        ALL,
        {
            "reset_user_password": gettext_noop("Reset the password of a user, or make a recovery link"),
            "impersonate": gettext_noop("Act as a user"),
            "preview_user": gettext_noop("See what an application would be told about a user"),
            "view_user_applications": gettext_noop("See which applications a user may enter"),
        },
    ),
    Kind(
        "directory.Group",
        "authentik_core",
        "group",
        gettext_noop("group"),
        ALL,
        {
            "add_user_to_group": gettext_noop("Put users into a group"),
            "remove_user_from_group": gettext_noop("Take users out of a group"),
        },
    ),
    Kind(
        "directory.Token",
        "authentik_core",
        "token",
        gettext_noop("token"),
        ALL,
        {
            "view_token_key": gettext_noop("See the key of a token, the one time"),
            "set_token_key": gettext_noop("Choose the key of a token"),
        },
    ),
    Kind(
        "roles.Role",
        "authentik_rbac",
        "role",
        gettext_noop("role"),
        ALL,
        {
            "assign_role_permissions": gettext_noop("Give a role permissions that one holds oneself"),
            "unassign_role_permissions": gettext_noop("Take permissions from a role"),
        },
    ),
    Kind("applications.Application", "authentik_core", "application", gettext_noop("application"), ALL),
    Kind("access_requests.AccessRequest", "doorward_access", "accessrequest", gettext_noop("request for access")),
    Kind(
        "access_requests.AccessOffer",
        "doorward_access",
        "accessoffer",
        gettext_noop("application that can be asked for"),
    ),
    Kind("applications.Provider", "authentik_core", "provider", gettext_noop("provider of any kind")),
    Kind("oauth2.OAuth2Provider", "authentik_providers_oauth2", "oauth2provider", gettext_noop("OAuth2 provider"), ALL),
    Kind("outposts.ProxyProvider", "authentik_providers_proxy", "proxyprovider", gettext_noop("proxy provider"), ALL),
    Kind("applications.Consent", "authentik_core", "userconsent", gettext_noop("consent"), ("view", "delete")),
    Kind("logins.LoginSession", "authentik_core", "authenticatedsession", gettext_noop("login"), ("view", "delete")),
    Kind(
        "authenticators.TOTPDevice",
        "authentik_stages_authenticator_totp",
        "totpdevice",
        gettext_noop("second factor: app with codes"),
        ("view", "change", "delete"),
    ),
    Kind(
        "authenticators.StaticDevice",
        "authentik_stages_authenticator_static",
        "staticdevice",
        gettext_noop("second factor: recovery codes"),
        ("view", "change", "delete"),
    ),
    Kind(
        "authenticators.WebAuthnDevice",
        "authentik_stages_authenticator_webauthn",
        "webauthndevice",
        gettext_noop("second factor: passkey or security key"),
        ("view", "change", "delete"),
    ),
    Kind(
        "authenticators.EmailDevice",
        "authentik_stages_authenticator_email",
        "emaildevice",
        gettext_noop("second factor: codes by e-mail"),
        ("view", "change", "delete"),
    ),
    Kind(
        "policies.Reputation",
        "authentik_policies_reputation",
        "reputation",
        gettext_noop("reputation of a name at an address"),
        ("view", "delete"),
    ),
    Kind("stages.Invitation", "authentik_stages_invitation", "invitation", gettext_noop("invitation"), ALL),
    Kind("events.Event", "authentik_events", "event", gettext_noop("event")),
    Kind("outposts.Outpost", "authentik_outposts", "outpost", gettext_noop("outpost")),
    Kind("flows.Flow", "authentik_flows", "flow", gettext_noop("flow")),
    Kind("flows.FlowStageBinding", "authentik_flows", "flowstagebinding", gettext_noop("place of a stage in a flow")),
    Kind("stages.Stage", "authentik_flows", "stage", gettext_noop("stage of any kind")),
    Kind("stages.Prompt", "authentik_stages_prompt", "prompt", gettext_noop("field of a prompt")),
    Kind("policies.PolicyBinding", "authentik_policies", "policybinding", gettext_noop("binding: who may enter what")),
    Kind("policies.Policy", "authentik_policies", "policy", gettext_noop("policy of any kind")),
    Kind("oauth2.ScopeMapping", "authentik_providers_oauth2", "scopemapping", gettext_noop("scope mapping")),
    Kind("sources.Source", "authentik_core", "source", gettext_noop("source of any kind")),
    Kind(
        "sources.UserSourceConnection",
        "authentik_core",
        "usersourceconnection",
        gettext_noop("account of a user at a source"),
        ALL,
    ),
    Kind(
        "sources.GroupSourceConnection",
        "authentik_core",
        "groupsourceconnection",
        gettext_noop("group that a source knows"),
        ALL,
    ),
    Kind("sources.OAuthSource", "authentik_sources_oauth", "oauthsource", gettext_noop("OAuth source")),
    Kind("sources_ldap.LDAPSource", "authentik_sources_ldap", "ldapsource", gettext_noop("LDAP source")),
    Kind("sources_saml.SAMLSource", "authentik_sources_saml", "samlsource", gettext_noop("SAML source")),
    Kind("brands.Brand", "authentik_brands", "brand", gettext_noop("brand")),
    Kind(
        "crypto.CertificateKeyPair",
        "authentik_crypto",
        "certificatekeypair",
        gettext_noop("certificate, without its key"),
    ),
    Kind(
        "",
        "authentik_rbac",
        "systempermission",
        gettext_noop("Doorward as a whole"),
        (),
        {
            "access_admin_interface": gettext_noop("Open the administrators’ pages"),
            "view_system_info": gettext_noop("See version and system"),
        },
    ),
)
_VERBS = {
    "view": gettext_noop("See: %(kind)s"),
    "add": gettext_noop("Make: %(kind)s"),
    "change": gettext_noop("Change: %(kind)s"),
    "delete": gettext_noop("Delete: %(kind)s"),
}
ADMIN_PAGES = "authentik_rbac.access_admin_interface"


def _permissions() -> Iterator[Permission]:
    for kind in KINDS:
        for verb in kind.verbs:
            codename = f"{verb}_{kind.name}"
            yield Permission(f"{kind.app}.{codename}", codename, verb, kind)
        for codename in kind.special:
            yield Permission(f"{kind.app}.{codename}", codename, "", kind)


PERMISSIONS = {permission.name: permission for permission in _permissions()}
_BY_LABEL = {kind.label: kind for kind in KINDS}


@cache
def kind_of(model: type[Model]) -> Kind | None:
    """What permissions about objects of ``model`` are called; a kind of stage is a stage."""
    by_model = {kind.model.lower(): kind for kind in KINDS}
    for ancestor in model.__mro__:
        meta = getattr(ancestor, "_meta", None)
        if meta is not None and (kind := by_model.get(meta.label_lower)) is not None:
            return kind
    return None


def kind_called(label: str) -> Kind | None:
    """``authentik_core.user`` → users."""
    return _BY_LABEL.get(label.lower())


def model_of(kind: Kind) -> type[Model] | None:
    """None for the program as a whole."""
    return apps.get_model(kind.model) if kind.model else None


def named(verb: str, model: type[Model]) -> str | None:
    """The permission to do ``verb`` with objects of ``model``; None where only superusers may."""
    kind = kind_of(model)
    if kind is None or verb not in kind.verbs:
        return None
    return f"{kind.app}.{verb}_{kind.name}"


def view_of(app: str, model_name: str) -> str:
    """The permission to see what an event or ``used_by`` calls by these names."""
    return f"{app}.view_{model_name}"


def is_reserved(name: str) -> bool:
    """Whether this would be a permission, had it not to stay with superusers."""
    app, _, codename = name.partition(".")
    verb, _, rest = codename.partition("_")
    if verb in ALL and any((kind.app, kind.name) == (app, rest) for kind in KINDS):
        return name not in PERMISSIONS
    stages = {label for model in apps.get_models() for label in [".".join(labels(model))]}
    return verb in ALL and f"{app}.{rest}" in stages
