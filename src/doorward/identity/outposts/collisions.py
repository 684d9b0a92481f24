"""No two applications under one outside URL: which of them answers must not be a matter of luck.

Several on one host are told apart by the first parts of their paths. Letters of different case are no difference:
many servers behind a proxy see none. A provider for a domain stands beside them: it has what nobody else has.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError

from doorward.identity.applications.models import Provider
from doorward.identity.outposts import external_host as hosts
from doorward.identity.outposts.models import ProxyProvider

_DOMAIN = ProxyProvider.Mode.FORWARD_DOMAIN


def refuse_second(external_host: str, mode: str, cookie_domain: str = "", but: int | None = None) -> None:
    """Raise ValidationError when another application with an outpost claims this outside URL. ``but``: the key of
    the provider that is being changed."""
    url = hosts.normalised(external_host)
    served = ProxyProvider.objects.filter(external_host__iexact=url, outposts__isnull=False, application__isnull=False)
    mine = _claim(url, mode, cookie_domain)
    for other in served.select_related("application"):
        if other.pk != but and _claim(other.external_host, other.mode, other.cookie_domain) == mine:
            text = f"“{other.application.name}” is already protected under {url}."
            raise ValidationError({"external_host": [text]})


def refuse_two(providers: Iterable[Provider]) -> None:
    """Raise ValidationError when two of these, which one outpost is to serve, claim the same outside URL."""
    seen: dict[tuple[str, str], str] = {}
    for provider in ProxyProvider.objects.filter(pk__in=[provider.pk for provider in providers]).order_by("pk"):
        claim = _claim(provider.external_host, provider.mode, provider.cookie_domain)
        holder = seen.setdefault(claim, provider.name)
        if holder != provider.name:
            text = f"“{holder}” and “{provider.name}” have the same external host {provider.external_host}."
            raise ValidationError({"providers": [text]})


def _claim(url: str, mode: str, cookie_domain: str) -> tuple[str, str]:
    return url.lower(), cookie_domain.strip(".").lower() if mode == _DOMAIN else ""
