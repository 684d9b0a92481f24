"""Consents: who agreed that which application is told what (``contracts/identity.md`` section 3.5)."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from doorward.identity.applications.models import Application, Consent
from doorward.identity.directory.models import User
from doorward.identity.durations import parse
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.stages.models import ConsentStage


def given(user: User, application: Application, scopes: Collection[str]) -> bool:
    """Whether ``user`` has agreed to exactly these scopes, and the consent has not expired."""
    return (
        Consent.objects.filter(user=user, application=application, permissions=_permissions(scopes))
        .filter(Q(expires__isnull=True) | Q(expires__gt=timezone.now()))
        .exists()
    )


def give(actor: Actor, user: User, application: Application, scopes: Collection[str], stage: ConsentStage) -> Consent:
    """Remember the user's consent for as long as the stage says."""
    expires = None if stage.mode == ConsentStage.Mode.PERMANENT else timezone.now() + parse(stage.consent_expire_in)
    with transaction.atomic():
        consent, _ = Consent.objects.update_or_create(
            user=user, application=application, permissions=_permissions(scopes), defaults={"expires": expires}
        )
        events.created(actor, consent)
    return consent


def _permissions(scopes: Collection[str]) -> str:
    return " ".join(sorted(set(scopes)))
