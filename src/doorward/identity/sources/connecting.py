"""The table of kinds that a user can connect by themselves: how each is gone to. A new kind is one line here."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from doorward.identity.sources.models import OAuthSource, Source
from doorward.identity.sources.oauth.views import leave
from doorward.identity.sources.saml.models import SAMLSource


def _connect_oauth(request: HttpRequest, source: Source, user: int) -> HttpResponse:
    assert isinstance(source, OAuthSource)
    return leave(request, source, connecting=user)


def _connect_saml(request: HttpRequest, source: Source, user: int) -> HttpResponse:
    from doorward.identity.sources.saml import views  # with its XML library, which most never need

    assert isinstance(source, SAMLSource)
    return views.leave(request, source, connecting=user)


CONNECTS: dict[str, Callable[[HttpRequest, Source, int], HttpResponse]] = {
    "oauth": _connect_oauth,
    "saml": _connect_saml,
}
"""Kind → how a user (by key) is sent to the source to connect their account there."""
