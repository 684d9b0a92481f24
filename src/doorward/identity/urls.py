"""The map of the identity provider's public pages (``contracts/identity.md`` section 1)."""

from __future__ import annotations

from django.urls import include, path

from doorward.identity.lazy_urls import lazily

urlpatterns = [
    path("", include("doorward.identity.web.urls")),
    path("", include("doorward.identity.flows.urls")),
    path("application/o/", include("doorward.identity.oauth2.urls")),
    lazily("api/v3/", "doorward.identity.api.urls"),
]

handler400 = "doorward.identity.web.errors.bad_request"
handler403 = "doorward.identity.web.errors.permission_denied"
handler404 = "doorward.identity.web.errors.not_found"
handler500 = "doorward.identity.web.errors.server_error"
