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
    words: str
    """One of them, for people."""
    verbs: tuple[str, ...] = READ
    special: dict[str, str] = field(default_factory=dict)
    """Codename → words, of what is neither of the four verbs."""

    @property
    def label(self) -> str:
        return f"{self.app}.{self.name}"


@dataclass(frozen=True, slots=True)
class Permission:
    name: str
    """``<application>.<codename>``."""
    codename: str
    words: str
    kind: Kind

    @property
    def id(self) -> int:
        """A number for clients that want one; the same in every installation."""
        return zlib.crc32(self.name.encode())


KINDS = (
    Kind(
        "directory.User",
        "authentik_core",
        "user",
        "user",
        ALL,
        {
            "reset_user_password": "Reset the password of a user, or make a recovery link",
            "impersonate": "Act as a user",
            "preview_user": "See what an application would be told about a user",
            "view_user_applications": "See which applications a user may enter",
        },
    ),
    Kind(
        "directory.Group",
        "authentik_core",
        "group",
        "group",
        ALL,
        {
            "add_user_to_group": "Put users into a group",
            "remove_user_from_group": "Take users out of a group",
        },
    ),
    Kind(
        "directory.Token",
        "authentik_core",
        "token",
        "token",
        ALL,
        {"view_token_key": "See the key of a token, the one time", "set_token_key": "Choose the key of a token"},
    ),
    Kind(
        "roles.Role",
        "authentik_rbac",
        "role",
        "role",
        ALL,
        {
            "assign_role_permissions": "Give a role permissions that one holds oneself",
            "unassign_role_permissions": "Take permissions from a role",
        },
    ),
    Kind("applications.Application", "authentik_core", "application", "application", ALL),
    Kind("access_requests.AccessRequest", "doorward_access", "accessrequest", "request for access"),
    Kind("access_requests.AccessOffer", "doorward_access", "accessoffer", "application that can be asked for"),
    Kind("applications.Provider", "authentik_core", "provider", "provider of any kind"),
    Kind("oauth2.OAuth2Provider", "authentik_providers_oauth2", "oauth2provider", "OAuth2 provider", ALL),
    Kind("outposts.ProxyProvider", "authentik_providers_proxy", "proxyprovider", "proxy provider", ALL),
    Kind("applications.Consent", "authentik_core", "userconsent", "consent", ("view", "delete")),
    Kind("logins.LoginSession", "authentik_core", "authenticatedsession", "login", ("view", "delete")),
    Kind(
        "authenticators.TOTPDevice",
        "authentik_stages_authenticator_totp",
        "totpdevice",
        "second factor: app with codes",
        ("view", "change", "delete"),
    ),
    Kind(
        "authenticators.StaticDevice",
        "authentik_stages_authenticator_static",
        "staticdevice",
        "second factor: recovery codes",
        ("view", "change", "delete"),
    ),
    Kind(
        "authenticators.WebAuthnDevice",
        "authentik_stages_authenticator_webauthn",
        "webauthndevice",
        "second factor: passkey or security key",
        ("view", "change", "delete"),
    ),
    Kind(
        "authenticators.EmailDevice",
        "authentik_stages_authenticator_email",
        "emaildevice",
        "second factor: codes by e-mail",
        ("view", "change", "delete"),
    ),
    Kind(
        "policies.Reputation",
        "authentik_policies_reputation",
        "reputation",
        "reputation of a name at an address",
        ("view", "delete"),
    ),
    Kind("stages.Invitation", "authentik_stages_invitation", "invitation", "invitation", ALL),
    Kind("events.Event", "authentik_events", "event", "event"),
    Kind("outposts.Outpost", "authentik_outposts", "outpost", "outpost"),
    Kind("flows.Flow", "authentik_flows", "flow", "flow"),
    Kind("flows.FlowStageBinding", "authentik_flows", "flowstagebinding", "place of a stage in a flow"),
    Kind("stages.Stage", "authentik_flows", "stage", "stage of any kind"),
    Kind("stages.Prompt", "authentik_stages_prompt", "prompt", "field of a prompt"),
    Kind("policies.PolicyBinding", "authentik_policies", "policybinding", "binding: who may enter what"),
    Kind("policies.Policy", "authentik_policies", "policy", "policy of any kind"),
    Kind("oauth2.ScopeMapping", "authentik_providers_oauth2", "scopemapping", "scope mapping"),
    Kind("sources.OAuthSource", "authentik_sources_oauth", "oauthsource", "OAuth source"),
    Kind("sources_ldap.LDAPSource", "authentik_sources_ldap", "ldapsource", "LDAP source"),
    Kind("sources_saml.SAMLSource", "authentik_sources_saml", "samlsource", "SAML source"),
    Kind("brands.Brand", "authentik_brands", "brand", "brand"),
    Kind("crypto.CertificateKeyPair", "authentik_crypto", "certificatekeypair", "certificate, without its key"),
    Kind(
        "",
        "authentik_rbac",
        "systempermission",
        "Doorward as a whole",
        (),
        {
            "access_admin_interface": "Open the administrators’ pages",
            "view_system_info": "See version and system",
        },
    ),
)
_VERBS = {"view": "See", "add": "Make", "change": "Change", "delete": "Delete"}
ADMIN_PAGES = "authentik_rbac.access_admin_interface"


def _permissions() -> Iterator[Permission]:
    for kind in KINDS:
        for verb in kind.verbs:
            codename = f"{verb}_{kind.name}"
            yield Permission(f"{kind.app}.{codename}", codename, f"{_VERBS[verb]}: {kind.words}", kind)
        for codename, words in kind.special.items():
            yield Permission(f"{kind.app}.{codename}", codename, words, kind)


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
