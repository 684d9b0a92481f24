"""Initial access tokens (RFC 7591 section 3): an administrator makes one, programs register themselves with it.

While there is none that works, nobody can register anything: dynamic registration is off (S-452).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity.crypto import vault
from doorward.identity.directory import names
from doorward.identity.directory.models import Group
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2.models import RegistrationToken, ScopeMapping

MOST_USES = 10_000
_HOST = re.compile(r"\.?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*", re.ASCII)


def create_registration_token(
    actor: Actor,
    *,
    name: str,
    authorization_flow: Flow,
    invalidation_flow: Flow,
    expires: datetime,
    hosts: Iterable[str],
    uses: int = 1,
    public_clients: bool = False,
    group: Group | None = None,
    scope_mappings: Iterable[ScopeMapping] = (),
) -> tuple[RegistrationToken, str]:
    """The token, and its key, which is kept nowhere. Raises ValidationError."""
    key = secrets.token_urlsafe(48)
    token = RegistrationToken(
        name=name,
        token_hash=vault.digest(key),
        expires=expires,
        uses_left=uses,
        hosts=[host.strip().lower() for host in hosts if host.strip()],
        public_clients=public_clients,
        authorization_flow=authorization_flow,
        invalidation_flow=invalidation_flow,
        group=group,
    )
    _validate(token)
    with transaction.atomic():
        token.save(force_insert=True)
        token.scope_mappings.set(scope_mappings)
        events.created(actor, token)
    return token, key


def delete_registration_token(actor: Actor, token: RegistrationToken) -> None:
    """Nobody registers with it any more. What was registered stays, and can no longer change itself."""
    with transaction.atomic():
        events.deleted(actor, token)
        token.delete()


def working() -> bool:
    """Whether anybody could register anything now."""
    return RegistrationToken.objects.filter(expires__gt=timezone.now(), uses_left__gt=0).exists()


def use(key: str) -> RegistrationToken | None:
    """The token with this key, of which one use is taken: one conditional UPDATE, so that the last use is one (S-805).

    To be called in the transaction of the registration, which gives it back when that fails."""
    own = RegistrationToken.objects.filter(token_hash=vault.digest(key))
    if not own.filter(expires__gt=timezone.now(), uses_left__gt=0).update(uses_left=F("uses_left") - 1):
        return None
    return own.select_related("authorization_flow", "invalidation_flow", "group").first()


def _validate(token: RegistrationToken) -> None:
    names.require_plain(token.name, "name")
    if not token.hosts:
        raise ValidationError({"hosts": [_("Name the hosts that redirect URIs may have.")]})
    for host in token.hosts:
        if len(host) > 253 or _HOST.fullmatch(host) is None:
            raise ValidationError(
                {"hosts": [_("“%(host)s” is no host name; .example.com stands for all below it.") % {"host": host}]}
            )
    if not 1 <= token.uses_left <= MOST_USES:
        raise ValidationError({"uses": [_("Between 1 and %(count)s.") % {"count": MOST_USES}]})
    if token.expires <= timezone.now():
        raise ValidationError({"expires": [_("In the future.")]})
    token.full_clean(exclude=["hosts"])
