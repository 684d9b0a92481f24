"""The map of the identity provider's public pages (``contracts/identity.md`` section 1)."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("doorward.identity.web.urls")),
    path("", include("doorward.identity.flows.urls")),
    path("application/o/", include("doorward.identity.oauth2.urls")),
    path("api/v3/", include("doorward.identity.api.urls")),
]
