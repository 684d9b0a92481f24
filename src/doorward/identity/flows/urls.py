"""Where flows are on the map."""

from __future__ import annotations

from django.urls import path

from doorward.identity.flows import api, configure, pages

urlpatterns = [
    path("if/flow/<slug:flow_slug>/", pages.flow_page, name="flow-page"),
    path("flows/-/default/authentication/", pages.default_authentication, name="flow-default-authentication"),
    path("flows/-/default/invalidation/", pages.default_invalidation, name="flow-default-invalidation"),
    path("flows/-/cancel/", pages.cancel, name="flow-cancel"),
    path("flows/-/configure/<uuid:stage_uuid>/", configure.configure, name="flow-configure"),
    path("api/v3/flows/executor/<slug:flow_slug>/", api.execute, name="flow-executor"),
]
