"""The end of everything that a database from a backup would bring back to life (S-810).

A copy does not know what was ended, used up or taken back after it was made. So whatever lets somebody in without
proving anything is ended: logins, proxy sessions, codes, tokens, remembered devices, links in letters, invitations
that work once. API tokens and app passwords end too, unless the operator vouches for them. What cannot be known is
said. A new ``cookie_secret`` of each proxy provider ends what outposts have sealed into cookies; the change log jumps
ahead, so that every reader of it, wherever it is, forgets what it knew.
"""

from __future__ import annotations

import time
from datetime import datetime

import msgspec
from django.db import models, transaction
from django.utils import timezone

from doorward.identity.authenticators import totp
from doorward.identity.authenticators.models import MailedCode, RememberedDevice, TOTPDevice
from doorward.identity.bootstrap import RESTORE_PENDING
from doorward.identity.chores.models import Turn
from doorward.identity.crypto import vault
from doorward.identity.directory.models import Token
from doorward.identity.events import actions as events
from doorward.identity.events import chain, checkpoints, proofs, sealing
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Change, Event
from doorward.identity.logins.models import LoginSession
from doorward.identity.mail.models import Letter, MailLink
from doorward.identity.oauth2.models import (
    AuthorizationCode,
    ClientLogin,
    DeviceCode,
    IssuedToken,
    PushedRequest,
    RegistrationToken,
)
from doorward.identity.oauth2.session_clients import login_ended
from doorward.identity.outposts.models import KeptUrl, ProxyProvider, StoredSession, new_cookie_secret
from doorward.identity.sources.saml.models import Handed
from doorward.identity.stages.models import Invitation
from doorward.messages.restored import Ended, Pending

ACTION = "restored"
AHEAD = 1_000_000_000
"""The change log goes on so much later than any reader can be."""
_ENDED: tuple[tuple[str, type[models.Model]], ...] = (
    ("proxy sessions", StoredSession),
    ("authorization codes", AuthorizationCode),
    ("device codes", DeviceCode),
    ("pushed requests", PushedRequest),
    ("access and refresh tokens", IssuedToken),
    ("remembered devices", RememberedDevice),
    ("mailed codes", MailedCode),
    ("links in letters", MailLink),
    ("letters that were not sent", Letter),
    ("kept addresses", KeptUrl),
    ("answers of other identity providers", Handed),
    ("login sessions", LoginSession),
)
_BEARERS = (Token.Intent.API, Token.Intent.APP_PASSWORD)


def begin(since: datetime | None = None, *, keep_tokens: bool = False) -> Ended:
    """End it all, and write down that it was. ``since``: when the backup was made; None: with the newest event.

    Raises django.db.Error.
    """
    newest = Event.objects.order_by("-created").values_list("created", flat=True).first()
    moment = since or newest or timezone.now()
    lost = _forget_lost_checkpoints()
    with transaction.atomic():
        _tell_clients()
        counts = {name: model._default_manager.all().delete()[1].get(model._meta.label, 0) for name, model in _ENDED}
        counts["recovery tokens"] = Token.objects.exclude(intent__in=_BEARERS).delete()[0]
        counts["invitations that work once"] = Invitation.objects.filter(single_use=True).delete()[0]
        counts = {name: number for name, number in counts.items() if number}
        tokens = _bearers(disable=not keep_tokens)
        _spend_time_steps()
        for provider in ProxyProvider.objects.all():
            fresh = vault.seal(new_cookie_secret(), provider.place_of_cookie_secret())
            ProxyProvider.objects.filter(pk=provider.pk).update(sealed_cookie_secret=fresh)
        Turn.objects.update(busy_until=None)
        _jump_ahead()
        events.record(
            ACTION,
            "authentik.core",
            Actor.system(),
            backup_of=moment,
            ended=[f"{number} {name}" for name, number in counts.items()],
            disabled=[] if keep_tokens else tokens,
            lost_events=lost,
        )
    sealing.seal()
    return Ended(moment, counts, tuple(tokens), keep_tokens, lost)


def begin_pending() -> Ended:
    """The same, where a restored state folder waits for it. Raises django.db.Error, OSError, msgspec.DecodeError."""
    file = checkpoints.path().with_name(RESTORE_PENDING)
    pending = msgspec.json.decode(file.read_bytes(), type=Pending)
    ended = begin(pending.since, keep_tokens=pending.keep_tokens)
    file.unlink()
    return ended


def _tell_clients() -> None:
    """Clients that want to hear of logouts hear of these; each is queued in this transaction."""
    told = ClientLogin.objects.values("sid")
    for row in LoginSession.objects.filter(sid__in=told, user__isnull=False).select_related("user"):
        if row.user is not None:
            login_ended(row.user, row.sid)
    ClientLogin.objects.all().delete()


def _bearers(*, disable: bool) -> list[str]:
    """What lets programs in and is alive; none of it is afterwards, if so wanted."""
    now = timezone.now()
    alive = Token.objects.filter(intent__in=_BEARERS).exclude(expiring=True, expires__lte=now)
    registering = RegistrationToken.objects.filter(expires__gt=now)
    named = [f"{token.identifier} ({token.user.username})" for token in alive.select_related("user")]
    named += [f"{token.name} (for registering clients)" for token in registering]
    if disable:
        alive.update(expiring=True, expires=now)
        registering.update(expires=now)
    return named


def _spend_time_steps() -> None:
    """No code that is accepted now counts, also for a clock ahead of ours: it may have been used already."""
    latest = int(time.time() // totp.STEP) + totp.TOLERANCE
    TOTPDevice.objects.filter(last_step__lt=latest).update(last_step=latest)


def _jump_ahead() -> None:
    """Whoever read the log up to anywhere in the lost time sees that they cannot go on from there (``rpc.state``)."""
    newest = Change.objects.order_by("-id").values_list("id", flat=True).first() or 0
    Change.objects.all().delete()
    Change.objects.create(id=newest + AHEAD, kind=Change.Kind.OUTPOSTS)
    if transaction.get_connection().vendor == "postgresql":
        with transaction.get_connection().cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [Change._meta.db_table, newest + AHEAD]
            )


def _forget_lost_checkpoints() -> int:
    """Put aside what the state folder knows of links that this database does not have; says how many those are.

    They would be taken for a chain whose end was cut off, which is what it is, with the operator's consent.
    """
    number, mac = chain.head(chain.beginning())
    try:
        written = checkpoints.read()
    except (OSError, ValueError):
        return 0
    lost = [
        each for each in written if each.number > number or (each.number == number and not proofs.same(each.mac, mac))
    ]
    if lost:
        checkpoints.set_aside(lost)
    return max((each.number for each in lost), default=number) - number
