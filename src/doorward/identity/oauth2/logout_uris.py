"""Where a client wants to hear of logouts: what may be written there, and whether it may lead into this network.

A back-channel address is asked by us, so the rule of all questions that we send holds (S-650): only what a superuser
or the operator wrote may lead to an address inside. A front-channel address is opened by the browser in a frame.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from doorward.identity.egress import client as egress
from doorward.identity.events.actor import Actor
from doorward.identity.oauth2.models import OAuth2Provider

LONGEST = 2048


def judge(actor: Actor, provider: OAuth2Provider, *, former: str, former_keys: str) -> None:
    """Note who wrote the addresses (of logouts, and of the client's keys). A change by somebody else than a superuser
    takes the trust away."""
    # The program itself writes at the operator's word (files, the command line); a stranger is another nobody.
    trusted = actor == Actor.system() or (actor.user is not None and actor.user.is_superuser)
    if provider.logout_uri != former:
        provider.logout_uri_trusted = trusted
    if provider.client_jwks_uri != former_keys:
        provider.client_jwks_uri_trusted = trusted


def require_usable(provider: OAuth2Provider) -> None:
    """Raises ValidationError."""
    uri = provider.logout_uri
    if not uri:
        return
    try:
        if len(uri) > LONGEST:
            raise egress.Refused(_("At most %(value)s characters.") % {"value": LONGEST})
        egress.check(uri, private=provider.logout_uri_trusted)
    except egress.Refused as error:
        raise ValidationError({"logout_uri": [str(error)]}) from error
    if urlsplit(uri).fragment or "#" in uri:
        raise ValidationError({"logout_uri": [_("A URL without a fragment.")]})
