"""Whether a password is that of somebody in their directory: the password stage's ``LDAPBackend``.

Whoever is not from a directory costs the same conversation, with names and a password that nobody has, so that the
time does not tell who is in it (S-504). Where the directory has no answer, nobody gets one: it says the same to all.
"""

from __future__ import annotations

import logging
import secrets

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from doorward.identity.directory import passwords
from doorward.identity.directory.errors import Busy
from doorward.identity.directory.models import User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.sources.ldap import people
from doorward.identity.sources.ldap.models import LDAPSource
from doorward.identity.sources.ldap.opening import opened
from doorward.identity.sources.ldap.places import NotAsked, WrongPassword
from doorward.identity.sources.ldap.turns import turn
from doorward.identity.sources.models import UserSourceConnection

BACKEND = "authentik.sources.ldap.auth.LDAPBackend"
SECONDS = 5.0
_log = logging.getLogger("doorward.ldap")


def knows(user: User | None, password: str) -> bool:
    """Whether the directory of ``user`` takes ``password``. None: nobody, at the same price. Raises NotAsked."""
    connection = (
        UserSourceConnection.objects.filter(user=user, source__kind=LDAPSource.KIND, source__enabled=True)
        .order_by("pk")
        .first()
        if user is not None
        else None
    )
    known = LDAPSource.objects.filter(enabled=True)
    source = known.filter(pk=connection.source_id).first() if connection else known.order_by("pk").first()
    if source is None:
        return False
    if connection is None or user is None:
        _ask(source, secrets.token_hex(8), secrets.token_urlsafe(16))
        return False
    if not _ask(source, connection.identifier, password):
        return False
    UserSourceConnection.objects.filter(pk=connection.pk).update(last_used=timezone.now())
    if source.password_login_update_internal_password:
        _keep(user, password)
    return True


def _ask(source: LDAPSource, identifier: str, password: str) -> bool:
    try:
        with turn(source.pk), opened(source, seconds=SECONDS) as directory:
            found = directory.find(source.user_base, people.one(source, identifier), ["*"], most=2)
            known = len(found) == 1 and not people.is_disabled(found[0])
            directory.bind(found[0].dn if known else f"cn={identifier},{source.base_dn}", password)
            return known
    except WrongPassword:
        return False
    except NotAsked as error:
        _log.warning("the directory %s has no answer to a login: %s", source.slug, error)
        raise


def _keep(user: User, password: str) -> None:
    """As the password here, for when the directory is away. One that is too short to be one is not kept."""
    if passwords.matches(user.password, password):
        return
    try:
        encoded = passwords.hashed(password)
    except (ValidationError, Busy):
        return
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(password=encoded, password_change_date=timezone.now())
        events.record("password_set", "authentik.core", Actor.system(), target=user)
