"""The writes about tokens; ``directory.actions`` is the face through which other rooms call them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity import durations
from doorward.identity.crypto import vault
from doorward.identity.directory import limits, names
from doorward.identity.directory.models import Token, User, new_key
from doorward.identity.directory.notices import user_written
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.system import queries as system

if TYPE_CHECKING:
    from doorward.identity.applications.models import Application

NOTED_EVERY = timedelta(minutes=1)
SHORTEST_KEY = 16
"""Characters of a key that somebody chose; our own have 60. Twenty-two random letters and digits hold 128 bits."""
_CORE = "authentik.core"
_CHANGEABLE = frozenset({"identifier", "description", "expires", "expiring", "intent", "read_only", "resources"})


def create_token(
    actor: Actor,
    *,
    user: User,
    identifier: str,
    intent: str,
    expires: datetime | None = None,
    expiring: bool = True,
    description: str = "",
    key: str | None = None,
    managed: str | None = None,
    application: Application | None = None,
    read_only: bool = False,
    resources: Iterable[str] = (),
) -> tuple[Token, str]:
    """Create a token and return it with its secret, which can be viewed once more by ``view_token_key``.

    ``expires`` defaults to what the settings say: one day from now unless changed. ``application``: the only one
    that an app password opens.
    ``read_only`` and ``resources`` limit an API token (``limits``).

    Raises ValidationError; PermissionDenied where it would be wider than the limited token that asks for it.
    """
    secret = new_key() if key is None else _acceptable(key)
    if expiring and expires is None:
        expires = timezone.now() + durations.parse(system.current().default_token_duration)
        if actor.limits is not None and actor.limits.ends is not None:
            expires = min(expires, actor.limits.ends)
    token = Token(
        identifier=identifier, user=user, intent=intent, description=description, expires=expires, expiring=expiring
    )
    token.managed = managed
    if application is not None and intent != Token.Intent.APP_PASSWORD:
        raise ValidationError({"application": [_("Only an app password can be for one application.")]})
    token.application = application
    token.read_only, token.resources = read_only, limits.cleaned(resources)
    _keep(token, secret)
    with transaction.atomic():
        user_written.send(Token, actor=actor, user=user)
        _require_within(actor, token)
        _require_limitable(token)
        names.require_storable(description, "description")
        token.full_clean()
        token.save(force_insert=True)
        events.created(actor, token, **_told(token))
    return token, secret


def update_token(actor: Actor, token: Token, **changes: object) -> Token:
    """Change identifier, description, expires, expiring, intent or limits; the owner never changes (S-603)."""
    if unknown := changes.keys() - _CHANGEABLE:
        raise TypeError(f"a token has no changeable {', '.join(sorted(unknown))}")
    if "resources" in changes:
        resources = changes["resources"]
        assert isinstance(resources, list | tuple)
        changes["resources"] = limits.cleaned(resources)
    with transaction.atomic():
        user_written.send(Token, actor=actor, user=token.user)
        _require_within(actor, token)
        before = events.snapshot(token)
        for field, value in changes.items():
            setattr(token, field, value)
        _require_within(actor, token)
        _require_limitable(token)
        names.require_storable(token.description, "description")
        token.full_clean()
        token.save()
        events.updated(actor, token, before)
    return token


def view_token_key(actor: Actor, token: Token) -> str:
    """The secret, once: it is erased by looking at it (S-608). Raises ValidationError when it was viewed before."""
    with transaction.atomic():
        user_written.send(Token, actor=actor, user=token.user)
        _require_within(actor, token)
        if actor.limits is not None and actor.limits.read_only:
            raise PermissionDenied("A token that only reads sees no keys: the first look at one changes it.")
        sealed = Token.objects.select_for_update().values_list("sealed_key", flat=True).get(pk=token.pk)
        # The condition makes one of two simultaneous viewers the only one (S-805).
        if not sealed or not Token.objects.filter(pk=token.pk, sealed_key=sealed).update(sealed_key=""):
            raise ValidationError({"key": [_("This key has been shown already; set a new one to see it.")]})
        events.record("secret_view", _CORE, actor, secret_of=token)
    token.sealed_key = ""
    return vault.unseal(sealed, place(token))


def set_token_key(actor: Actor, token: Token, key: str | None = None) -> str:
    """Give the token a new secret (random unless given) and return it. Raises ValidationError."""
    secret = new_key() if key is None else _acceptable(key)
    with transaction.atomic():
        user_written.send(Token, actor=actor, user=token.user)
        _require_within(actor, token)
        _keep(token, secret)
        token.validate_constraints()
        token.save(update_fields=["key_hash", "sealed_key"])
        events.record("secret_rotate", _CORE, actor, secret_of=token)
    return secret


def delete_token(actor: Actor, token: Token) -> None:
    """Delete a token; it is refused from now on."""
    with transaction.atomic():
        user_written.send(Token, actor=actor, user=token.user)
        events.deleted(actor, token)
        token.delete()


def note_use(token: Token) -> None:
    """Somebody came with it just now."""
    now = timezone.now()
    if token.last_used is None or now - token.last_used >= NOTED_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used=now)


def _require_within(actor: Actor, token: Token) -> None:
    """A limited token gets hold of no other that could do more than itself, or for longer."""
    own = actor.limits
    if own is None:
        return
    is_own = actor.user is not None and token.user_id == actor.user.pk and token.intent == Token.Intent.API
    if not is_own or not own.cover(token.read_only, token.parts, token.ends):
        raise PermissionDenied(
            "A limited token makes and changes only API tokens of its own user that can do no more than itself,"
            " and end no later."
        )


def _require_limitable(token: Token) -> None:
    if token.intent != Token.Intent.API and token.limits is not None:
        field = "read_only" if token.read_only else "resources"
        raise ValidationError({field: [_("Only an API token can be limited to parts of the API.")]})


def _told(token: Token) -> dict[str, object]:
    """What its event says beside its name."""
    return {} if token.limits is None else {"read_only": token.read_only, "resources": list(token.parts)}


def _keep(token: Token, secret: str) -> None:
    token.key_hash = vault.digest(secret)
    token.sealed_key = vault.seal(secret, place(token))


def place(token: Token) -> str:
    """What its key is sealed to, until it is viewed."""
    return f"directory.token:{token.pk}"


def _acceptable(key: str) -> str:
    # Kept by a plain SHA-256, so it should hold 128 random bits by itself (S-803); a guess at a phrase must not pay.
    if len(key) < SHORTEST_KEY or len(key) > 512 or not key.isascii() or not key.isprintable() or " " in key:
        raise ValidationError(
            {"key": [_("A key has %(shortest)s to 512 visible ASCII characters.") % {"shortest": SHORTEST_KEY}]}
        )
    return key
