"""Below ``/application/o/``. The fixed names come first: they are reserved slugs for applications."""

from __future__ import annotations

from django.urls import path

from doorward.identity.oauth2.endpoints import (
    authorize,
    device,
    discovery,
    end_session,
    introspect,
    par,
    register,
    revoke,
    token,
    userinfo,
)

urlpatterns = [
    path("authorize/", authorize.authorize, name="oauth2-authorize"),
    path("authorize/declined/", authorize.declined, name="oauth2-declined"),
    path("token/", token.token, name="oauth2-token"),
    path("userinfo/", userinfo.userinfo, name="oauth2-userinfo"),
    path("introspect/", introspect.introspect, name="oauth2-introspect"),
    path("revoke/", revoke.revoke, name="oauth2-revoke"),
    path("par/", par.push, name="oauth2-par"),
    path("device/", device.device, name="oauth2-device"),
    path("register/", register.register, name="oauth2-register"),
    path("register/client/<str:client_id>/", register.manage, name="oauth2-registered"),
    path("<slug:slug>/", discovery.issuer_root, name="oauth2-issuer"),
    path("<slug:slug>/.well-known/openid-configuration", discovery.discovery, name="oauth2-discovery"),
    path("<slug:slug>/jwks/", discovery.jwks, name="oauth2-jwks"),
    path("<slug:slug>/end-session/", end_session.end_session, name="oauth2-end-session"),
    path("<slug:slug>/end-session/confirm/", end_session.confirmed, name="oauth2-end-session-confirm"),
]
