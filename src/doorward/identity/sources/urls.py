"""Where sources are on the map (``contracts/identity.md`` section 1)."""

from __future__ import annotations

from django.urls import path

from doorward.identity.lazy_urls import lazily
from doorward.identity.sources.oauth import views as oauth

urlpatterns = [
    path("oauth/login/<slug:slug>/", oauth.begin, name="source-oauth-login"),
    path("oauth/callback/<slug:slug>/", oauth.callback, name="source-oauth-callback"),
    lazily("saml/", "doorward.identity.sources.saml.urls"),
]
