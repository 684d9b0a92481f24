"""The pages of the identity provider that are not part of a flow.

What is created has its page under ``new/``, where no slug or name can stand in its way.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from doorward.identity.web.pages import (
    account,
    applications,
    bindings,
    events,
    explain,
    factors,
    flows,
    groups,
    invitations,
    library,
    oauth2_providers,
    outposts,
    overview,
    own_tokens,
    protect,
    providers,
    proxy_providers,
    service_accounts,
    sessions,
    tokens,
    user_access,
    users,
)

OWN: list[URLPattern | URLResolver] = [
    path("", library.home, name="home"),
    path("application/launch/<slug:slug>/", library.launch, name="launch"),
    path("if/user/", library.library_page, name="library"),
    path("if/user/account/", account.account, name="account"),
    path("if/user/password/", account.change_password, name="own-password"),
    path("if/user/logins/end/", account.end_other_logins, name="own-logins-end"),
    path("if/user/logins/<uuid:uuid>/end/", account.end_login, name="own-login-end"),
    path("if/user/sessions/<slug:session>/end/", sessions.end_own, name="own-session-end"),
    path("if/user/factors/", factors.factors, name="own-factors"),
    path("if/user/factors/<uuid:uuid>/", factors.rename, name="own-factor"),
    path("if/user/factors/<uuid:uuid>/remove/", factors.remove, name="own-factor-remove"),
    path("if/user/browsers/forget/", factors.forget_all, name="own-browsers-forget"),
    path("if/user/browsers/<uuid:uuid>/forget/", factors.forget, name="own-browser-forget"),
    path("if/user/new/token/", own_tokens.create_own, name="own-token-new"),
    path("if/user/tokens/<slug:identifier>/delete/", own_tokens.delete_own, name="own-token-delete"),
]

ADMIN: list[URLPattern | URLResolver] = [
    path("if/admin/", overview.overview, name="admin"),
    path("if/admin/protect/", protect.protect, name="admin-protect"),
    path("if/admin/protect/<slug:slug>/", protect.protected, name="admin-protected"),
    path("if/admin/applications/", applications.applications, name="admin-applications"),
    path("if/admin/applications/<slug:slug>/", applications.application, name="admin-application"),
    path("if/admin/applications/<slug:slug>/edit/", applications.edit, name="admin-application-edit"),
    path("if/admin/applications/<slug:slug>/delete/", applications.delete, name="admin-application-delete"),
    path("if/admin/applications/<slug:slug>/bindings/", bindings.add, name="admin-binding-add"),
    path(
        "if/admin/applications/<slug:slug>/bindings/<uuid:uuid>/remove/", bindings.remove, name="admin-binding-remove"
    ),
    path("if/admin/providers/", providers.providers, name="admin-providers"),
    path("if/admin/providers/<int:pk>/", providers.provider, name="admin-provider"),
    path("if/admin/providers/<int:pk>/delete/", providers.delete, name="admin-provider-delete"),
    path("if/admin/proxy-providers/<int:pk>/edit/", proxy_providers.edit, name="admin-proxy-provider-edit"),
    path("if/admin/proxy-providers/<int:pk>/paths/", proxy_providers.open_paths, name="admin-open-paths"),
    path("if/admin/oauth2-providers/<int:pk>/edit/", oauth2_providers.edit, name="admin-oauth2-provider-edit"),
    path(
        "if/admin/oauth2-providers/<int:pk>/secret/", oauth2_providers.show_secret, name="admin-oauth2-provider-secret"
    ),
    path(
        "if/admin/oauth2-providers/<int:pk>/secret/new/",
        oauth2_providers.new_secret,
        name="admin-oauth2-provider-secret-new",
    ),
    path("if/admin/outposts/", outposts.outposts, name="admin-outposts"),
    path("if/admin/outposts/new/", outposts.new, name="admin-new-outpost"),
    path("if/admin/outposts/<uuid:uuid>/", outposts.outpost, name="admin-outpost"),
    path("if/admin/users/", users.users, name="admin-users"),
    path("if/admin/users/<int:pk>/", users.user, name="admin-user"),
    path("if/admin/users/<int:pk>/edit/", users.edit, name="admin-user-edit"),
    path("if/admin/users/<int:pk>/password/", user_access.set_password, name="admin-user-password"),
    path("if/admin/users/<int:pk>/recovery/", user_access.recovery_link, name="admin-user-recovery"),
    path(
        "if/admin/users/<int:pk>/factors/<uuid:uuid>/remove/",
        user_access.remove_factor,
        name="admin-user-factor-remove",
    ),
    path("if/admin/users/<int:pk>/deactivate/", user_access.deactivate, name="admin-user-deactivate"),
    path("if/admin/users/<int:pk>/activate/", user_access.activate, name="admin-user-activate"),
    path("if/admin/users/<int:pk>/delete/", user_access.delete, name="admin-user-delete"),
    path("if/admin/users/<int:pk>/logins/end/", user_access.end_logins, name="admin-user-logins-end"),
    path("if/admin/users/<int:pk>/logins/<uuid:uuid>/end/", user_access.end_login, name="admin-user-login-end"),
    path("if/admin/groups/", groups.groups, name="admin-groups"),
    path("if/admin/groups/<uuid:uuid>/", groups.group, name="admin-group"),
    path("if/admin/groups/<uuid:uuid>/edit/", groups.edit, name="admin-group-edit"),
    path("if/admin/groups/<uuid:uuid>/delete/", groups.delete, name="admin-group-delete"),
    path("if/admin/groups/<uuid:uuid>/members/", groups.add_member, name="admin-member-add"),
    path("if/admin/groups/<uuid:uuid>/members/<int:pk>/remove/", groups.remove_member, name="admin-member-remove"),
    path("if/admin/invitations/", invitations.invitations, name="admin-invitations"),
    path("if/admin/invitations/<uuid:uuid>/delete/", invitations.delete, name="admin-invitation-delete"),
    path("if/admin/sessions/", sessions.sessions, name="admin-sessions"),
    path("if/admin/sessions/<slug:session>/end/", sessions.end, name="admin-session-end"),
    path("if/admin/logins/<uuid:uuid>/end/", sessions.end_login, name="admin-login-end"),
    path("if/admin/tokens/", tokens.tokens, name="admin-tokens"),
    path("if/admin/tokens/<slug:identifier>/delete/", tokens.delete, name="admin-token-delete"),
    path("if/admin/flows/", flows.flows, name="admin-flows"),
    path("if/admin/flows/<slug:slug>/", flows.flow, name="admin-flow"),
    path("if/admin/events/", events.events, name="admin-events"),
    path("if/admin/events/<uuid:uuid>/", events.event, name="admin-event"),
    path("if/admin/explain/", explain.explain, name="admin-explain"),
    path("if/admin/explain/<path:request_id>/", explain.decision, name="admin-decision"),
    path("if/admin/applications/<slug:slug>/examine/", explain.examine, name="admin-application-examine"),
    path("if/admin/applications/<slug:slug>/headers/", explain.headers, name="admin-application-headers"),
    path("if/admin/new/application/", applications.create, name="admin-new-application"),
    path("if/admin/new/proxy-provider/", proxy_providers.create, name="admin-new-proxy-provider"),
    path("if/admin/new/oauth2-provider/", oauth2_providers.create, name="admin-new-oauth2-provider"),
    path("if/admin/new/user/", users.create, name="admin-new-user"),
    path("if/admin/new/service-account/", service_accounts.create, name="admin-new-service-account"),
    path("if/admin/new/group/", groups.create, name="admin-new-group"),
    path("if/admin/new/invitation/", invitations.create, name="admin-new-invitation"),
    path("if/admin/new/token/", tokens.create, name="admin-new-token"),
]

urlpatterns = [*OWN, *ADMIN]
