"""The map of the API. ``flows/executor/`` is not here: it belongs to the flows and is found before this."""

from __future__ import annotations

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from doorward.identity.api.admin.about import System, Version
from doorward.identity.api.admin.settings import Settings
from doorward.identity.api.authenticators.devices import DEVICES, AllDevices, AllDevicesOfAUser
from doorward.identity.api.core.access_requests import AccessOffers, AccessRequests
from doorward.identity.api.core.applications import Applications
from doorward.identity.api.core.brands import Brands
from doorward.identity.api.core.consents import UserConsents
from doorward.identity.api.core.entitlements import Entitlements
from doorward.identity.api.core.groups import Groups
from doorward.identity.api.core.sessions import AuthenticatedSessions
from doorward.identity.api.core.tokens import Tokens
from doorward.identity.api.core.transactional import TransactionalApplications
from doorward.identity.api.core.users import Users
from doorward.identity.api.crypto.certificates import Certificates
from doorward.identity.api.errors import not_found
from doorward.identity.api.events.events import Events
from doorward.identity.api.events.notifications import Notifications
from doorward.identity.api.events.rules import NotificationRules, NotificationTransports, WebhookMappings
from doorward.identity.api.explain.reach import Reach, ReachChanges, ReachStatements
from doorward.identity.api.explain.views import Access, Decision, Decisions, Examination, Headers, Probes
from doorward.identity.api.flows.bindings import FlowStageBindings
from doorward.identity.api.flows.inspector import FlowInspector
from doorward.identity.api.flows.instances import Flows
from doorward.identity.api.managed.blueprints import Blueprints
from doorward.identity.api.outposts.instances import Outposts
from doorward.identity.api.outposts.proxy import ProxyOutpostConfigs
from doorward.identity.api.outposts.sessions import ProxySessions
from doorward.identity.api.policies.bindings import PolicyBindings
from doorward.identity.api.policies.circumstances import Countries, GeoIPPolicies, NetworkPolicies, TimeWindowPolicies
from doorward.identity.api.policies.dummies import DummyPolicies
from doorward.identity.api.policies.event_matchers import EventMatcherPolicies
from doorward.identity.api.policies.every import Policies
from doorward.identity.api.policies.expressions import ExpressionPolicies
from doorward.identity.api.policies.password_expiry import PasswordExpiryPolicies
from doorward.identity.api.policies.passwords import PasswordPolicies, UniquePasswordPolicies
from doorward.identity.api.policies.reputations import ReputationPolicies, Reputations
from doorward.identity.api.propertymappings.scopes import PropertyMappings, ScopeMappings
from doorward.identity.api.providers.every import Providers
from doorward.identity.api.providers.oauth2 import OAuth2Providers
from doorward.identity.api.providers.proxy import ProxyProviders
from doorward.identity.api.rbac.permissions import AssignedByRoles, Permissions
from doorward.identity.api.rbac.roles import Roles
from doorward.identity.api.registrations.tokens import RegistrationTokens
from doorward.identity.api.root.config import Config
from doorward.identity.api.schema import schema
from doorward.identity.api.sources.connections import (
    GroupConnections,
    GroupLDAPConnections,
    GroupOAuthConnections,
    GroupSAMLConnections,
    UserConnections,
    UserLDAPConnections,
    UserOAuthConnections,
    UserSAMLConnections,
)
from doorward.identity.api.sources.every import Sources
from doorward.identity.api.sources.ldap import LDAPMappings, LDAPSources
from doorward.identity.api.sources.oauth import OAuthMappings, OAuthSources
from doorward.identity.api.sources.saml import SAMLMappings, SAMLSources
from doorward.identity.api.stages.captcha import CaptchaStages
from doorward.identity.api.stages.course import DenyStages, DummyStages, RedirectStages, UserDeleteStages
from doorward.identity.api.stages.factors import (
    AuthenticatorEmailStages,
    AuthenticatorStaticStages,
    AuthenticatorTOTPStages,
    AuthenticatorValidateStages,
    AuthenticatorWebAuthnStages,
)
from doorward.identity.api.stages.invitations import Invitations, InvitationStages
from doorward.identity.api.stages.kinds import (
    ConsentStages,
    IdentificationStages,
    PasswordStages,
    Stages,
    UserLoginStages,
    UserLogoutStages,
)
from doorward.identity.api.stages.mail import EmailStages
from doorward.identity.api.stages.prompts import Prompts, PromptStages, UserWriteStages

RESOURCES = {
    **DEVICES,
    "core/application_entitlements": Entitlements,
    "core/applications": Applications,
    "core/authenticated_sessions": AuthenticatedSessions,
    "core/brands": Brands,
    "core/groups": Groups,
    "core/tokens": Tokens,
    "core/user_consent": UserConsents,
    "core/users": Users,
    "crypto/certificatekeypairs": Certificates,
    "doorward/access_offers": AccessOffers,
    "doorward/access_requests": AccessRequests,
    "doorward/proxy_sessions": ProxySessions,
    "doorward/registration_tokens": RegistrationTokens,
    "events/events": Events,
    "events/notifications": Notifications,
    "events/rules": NotificationRules,
    "events/transports": NotificationTransports,
    "propertymappings/notification": WebhookMappings,
    "flows/bindings": FlowStageBindings,
    "flows/instances": Flows,
    "managed/blueprints": Blueprints,
    "outposts/instances": Outposts,
    "outposts/proxy": ProxyOutpostConfigs,
    "policies/all": Policies,
    "policies/bindings": PolicyBindings,
    "policies/dummy": DummyPolicies,
    "policies/event_matcher": EventMatcherPolicies,
    "policies/expression": ExpressionPolicies,
    "policies/geoip": GeoIPPolicies,
    "policies/network": NetworkPolicies,
    "policies/password": PasswordPolicies,
    "policies/reputation": ReputationPolicies,
    "policies/reputation/scores": Reputations,
    "policies/password_expiry": PasswordExpiryPolicies,
    "policies/time_window": TimeWindowPolicies,
    "policies/unique_password": UniquePasswordPolicies,
    "propertymappings/all": PropertyMappings,
    "propertymappings/provider/scope": ScopeMappings,
    "propertymappings/source/ldap": LDAPMappings,
    "propertymappings/source/oauth": OAuthMappings,
    "propertymappings/source/saml": SAMLMappings,
    "providers/all": Providers,
    "providers/oauth2": OAuth2Providers,
    "providers/proxy": ProxyProviders,
    "rbac/permissions/assigned_by_roles": AssignedByRoles,
    "rbac/permissions": Permissions,
    "rbac/roles": Roles,
    "sources/all": Sources,
    "sources/group_connections/all": GroupConnections,
    "sources/group_connections/ldap": GroupLDAPConnections,
    "sources/group_connections/oauth": GroupOAuthConnections,
    "sources/group_connections/saml": GroupSAMLConnections,
    "sources/ldap": LDAPSources,
    "sources/oauth": OAuthSources,
    "sources/saml": SAMLSources,
    "sources/user_connections/all": UserConnections,
    "sources/user_connections/ldap": UserLDAPConnections,
    "sources/user_connections/oauth": UserOAuthConnections,
    "sources/user_connections/saml": UserSAMLConnections,
    "stages/all": Stages,
    "stages/authenticator/email": AuthenticatorEmailStages,
    "stages/authenticator/static": AuthenticatorStaticStages,
    "stages/authenticator/totp": AuthenticatorTOTPStages,
    "stages/authenticator/validate": AuthenticatorValidateStages,
    "stages/authenticator/webauthn": AuthenticatorWebAuthnStages,
    "stages/captcha": CaptchaStages,
    "stages/consent": ConsentStages,
    "stages/deny": DenyStages,
    "stages/dummy": DummyStages,
    "stages/email": EmailStages,
    "stages/identification": IdentificationStages,
    "stages/invitation/invitations": Invitations,
    "stages/invitation/stages": InvitationStages,
    "stages/password": PasswordStages,
    "stages/prompt/prompts": Prompts,
    "stages/prompt/stages": PromptStages,
    "stages/redirect": RedirectStages,
    "stages/user_delete": UserDeleteStages,
    "stages/user_login": UserLoginStages,
    "stages/user_logout": UserLogoutStages,
    "stages/user_write": UserWriteStages,
}

router = SimpleRouter()
for prefix, resource in RESOURCES.items():
    router.register(prefix, resource, basename=prefix.replace("/", "-"))

urlpatterns = [
    path("admin/settings/", Settings.as_view()),
    path("admin/system/", System.as_view()),
    path("admin/version/", Version.as_view()),
    path("authenticators/all/", AllDevices.as_view()),
    path("authenticators/admin/all/", AllDevicesOfAUser.as_view()),
    path("core/transactional/applications/", TransactionalApplications.as_view()),
    path("doorward/decisions/", Decisions.as_view()),
    path("doorward/decisions/<path:id>/", Decision.as_view()),
    path("doorward/access/<slug:slug>/", Access.as_view()),
    path("doorward/examinations/<slug:slug>/", Examination.as_view()),
    path("doorward/reach/", Reach.as_view()),
    path("doorward/reach/changes/", ReachChanges.as_view()),
    path("doorward/reach/statements/", ReachStatements.as_view()),
    path("doorward/probes/", Probes.as_view()),
    path("doorward/headers/<slug:slug>/", Headers.as_view()),
    path("flows/inspector/<slug:flow_slug>/", FlowInspector.as_view()),
    path("policies/geoip_iso3166/", Countries.as_view()),
    path("root/config/", Config.as_view()),
    path("schema/", schema),
    *router.urls,
    re_path(r"", not_found),
]
