"""The map of the identity provider's public pages (``contracts/identity.md`` section 1)."""

from __future__ import annotations

from django.urls import include, path

from doorward.identity.lazy_urls import lazily
from doorward.identity.oauth2.endpoints import device_page
from doorward.identity.rpc import remote

urlpatterns = [
    path("", include("doorward.identity.web.urls")),
    path("", include("doorward.identity.flows.urls")),
    path("device", device_page.device, name="device"),
    path("device/consent/", device_page.consent, name="device-consent"),
    path("device/end/", device_page.end, name="device-end"),
    path("source/", include("doorward.identity.sources.urls")),
    path("application/o/", include("doorward.identity.oauth2.urls")),
    path("api/v3/outposts/data-plane/<slug:question>", remote.answer, name="data-plane"),
    lazily("api/v3/", "doorward.identity.api.urls"),
]

handler400 = "doorward.identity.web.errors.bad_request"
handler403 = "doorward.identity.web.errors.permission_denied"
handler404 = "doorward.identity.web.errors.not_found"
handler500 = "doorward.identity.web.errors.server_error"
