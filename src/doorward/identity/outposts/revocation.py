"""End what was granted, in the transaction that takes the ground away from it (S-321, S-322).

A proxy session lives longer than the decision that made it: as a row here, and in the memory of workers until a
``session-ended`` change tells them otherwise. Whatever says that a login, a user's rights, an application or a
provider changed is heard here. An innocent user who is caught by it logs in again without noticing, because their
login session lives on. Issued tokens are judged anew whenever they are used (``oauth2.live``).
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils import timezone

from doorward.identity.applications.models import Application, Entitlement
from doorward.identity.applications.notices import application_changed
from doorward.identity.directory.models import User
from doorward.identity.directory.notices import rights_changed, trust_ended
from doorward.identity.events import actions as events
from doorward.identity.logins.notices import login_ended
from doorward.identity.oauth2.models import AuthorizationCode, IssuedToken
from doorward.identity.outposts.models import StoredSession
from doorward.identity.policies import moments
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.models import PolicyTarget
from doorward.identity.policies.notices import access_changed, access_ended
from doorward.identity.policies.queries import verdict

_BATCH = 500


def end_sessions(sessions: QuerySet[StoredSession]) -> int:
    """Delete these proxy sessions and tell the data plane of each; says how many."""
    id_hashes = list(sessions.values_list("id_hash", flat=True))
    for start in range(0, len(id_hashes), _BATCH):
        StoredSession.objects.filter(id_hash__in=id_hashes[start : start + _BATCH]).delete()
    events.sessions_ended(id_hashes)
    return len(id_hashes)


def end_sessions_of_provider(provider: int) -> None:
    """End all proxy sessions of the provider with this key, and what was issued through it."""
    end_proxy_sessions_of_provider(provider)
    IssuedToken.objects.filter(provider_id=provider, revoked=False).update(revoked=True)
    AuthorizationCode.objects.filter(provider_id=provider).delete()


def end_proxy_sessions_of_provider(provider: int) -> None:
    """End the proxy sessions of the provider with this key."""
    end_sessions(StoredSession.objects.filter(provider_id=provider))


def end_sessions_of_user(user: User) -> None:
    """End all proxy sessions of one person, in all providers (sign-out)."""
    end_sessions(StoredSession.objects.filter(user=user))


def _login_ended(sender: type, *, user: User, sid: str, **_: object) -> None:
    end_sessions(StoredSession.objects.filter(user=user, sid=sid))


def _trust_ended(sender: type, *, user: User, except_sid: str, **_: object) -> None:
    end_sessions(StoredSession.objects.filter(user=user).exclude(sid=except_sid))


def _rights_changed(sender: type, *, users: Iterable[User], **_: object) -> None:
    # Proxy sessions carry their user's groups: all of them end, also where the user may still enter.
    end_sessions(StoredSession.objects.filter(user__in=list(users)))


def _access_changed(sender: type, *, target: PolicyTarget, **_: object) -> None:
    _end_where_denied(target)
    _end_where_told(target)
    left = StoredSession.objects.filter(provider__application__pk=target.pk)
    if left.exists() and moments.good(target.bindings.select_related("policy"), timezone.now()):
        # They stay, but no worker may go on without asking when and from where they let in.
        events.sessions_ended(left.values_list("id_hash", flat=True))


def _access_ended(sender: type, *, target: PolicyTarget, **_: object) -> None:
    _end_where_denied(target)
    _end_where_told(target)


def _end_where_told(target: PolicyTarget) -> None:
    """Proxy sessions carry their user's entitlements: those at its application end, also of who keeps theirs."""
    entitlement = Entitlement.objects.filter(pk=target.pk).select_related("app").first()
    if entitlement is not None and entitlement.app.provider_id is not None:
        end_proxy_sessions_of_provider(entitlement.app.provider_id)


def _end_where_denied(target: PolicyTarget) -> None:
    application = Application.objects.filter(pk=target.pk).first()
    if application is None or application.provider_id is None:
        return
    sessions = StoredSession.objects.filter(provider_id=application.provider_id)
    for user in User.objects.filter(pk__in=sessions.values("user")):
        theirs = sessions.filter(user=user)
        logins = {row.sid: row.login_session for row in theirs.select_related("login_session")}
        for sid, login in logins.items():
            if not verdict(application, user, Asked.since(login)).passing:
                end_sessions(theirs.filter(sid=sid))


def _application_changed(sender: type, *, severed: int | None, **_: object) -> None:
    if severed is not None:
        end_sessions_of_provider(severed)
    events.outposts_changed()


def listen() -> None:
    """Connect to the rooms below; called once, when Django has started."""
    login_ended.connect(_login_ended, dispatch_uid="outposts.revocation.login")
    trust_ended.connect(_trust_ended, dispatch_uid="outposts.revocation.trust")
    rights_changed.connect(_rights_changed, dispatch_uid="outposts.revocation.rights")
    access_changed.connect(_access_changed, dispatch_uid="outposts.revocation.access")
    access_ended.connect(_access_ended, dispatch_uid="outposts.revocation.access_ended")
    application_changed.connect(_application_changed, dispatch_uid="outposts.revocation.application")
