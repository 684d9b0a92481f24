"""Make a token out of a form and take its key out of the safe: it is shown by whoever calls this, once."""

from __future__ import annotations

from django.db import transaction

from doorward.identity.directory import actions
from doorward.identity.directory.models import Token, User
from doorward.identity.events.actor import Actor
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.web.forms.tokens import OwnTokenForm


def create(actor: Actor, user: User, form: OwnTokenForm) -> tuple[Token, str]:
    """The token and its key. Raises ValidationError."""
    values, expires = form.cleaned_data, form.expires
    with transaction.atomic():
        token, _ = actions.create_token(
            actor,
            user=user,
            identifier=values["identifier"],
            intent=values["intent"],
            expires=expires,
            expiring=expires is not None,
            description=values["description"],
            application=values["application"],
            read_only=values["read_only"],
            resources=values["resources"],
        )
        return token, actions.view_token_key(actor, token)


def outside_url(token: Token) -> str:
    """Where the one application is that ``token`` opens; empty for other tokens."""
    provider = ProxyProvider.objects.filter(application=token.application_id).first() if token.application_id else None
    return provider.external_host if provider is not None else ""
