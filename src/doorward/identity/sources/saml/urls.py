"""``/source/saml/<slug>/…`` (``contracts/identity.md`` section 1). Loaded with the first request for one of them."""

from __future__ import annotations

from django.urls import path

from doorward.identity.sources.saml import logout_views, views

urlpatterns = [
    path("<slug:slug>/", views.begin),
    path("<slug:slug>/acs/", views.acs),
    path("<slug:slug>/arrived/<str:handle>/", views.arrived),
    path("<slug:slug>/metadata/", views.metadata),
    path("<slug:slug>/slo/", logout_views.slo),
]
