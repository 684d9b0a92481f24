"""Users as files: many of them with what an import reads again, or everything about one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q, QuerySet

from doorward.identity.access_requests.models import AccessRequest
from doorward.identity.applications.models import Consent
from doorward.identity.authenticators import queries as authenticators
from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.logins.models import LoginSession
from doorward.identity.notifications.models import Notification
from doorward.identity.oauth2.models import IssuedToken
from doorward.identity.outposts.models import StoredSession
from doorward.identity.roles.queries import roles_of
from doorward.identity.sources.models import UserSourceConnection

MOST_EVENTS = 10_000
"""The newest, in the file about one user."""


def many(users: QuerySet[User]) -> Iterator[dict[str, Any]]:
    """The columns of ``files``, without passwords."""
    for user in users.prefetch_related("groups").order_by("username").iterator(chunk_size=500):
        yield _row(user)


def _row(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "name": user.name,
        "email": user.email,
        "type": str(user.type),
        "path": user.path,
        "is_active": user.is_active,
        "groups": sorted(group.name for group in user.groups.all()),
        "attributes": user.attributes,
        "last_login": user.last_login.isoformat() if user.last_login else None,
        "date_joined": user.date_joined.isoformat(),
        "uuid": str(user.uuid),
    }


def everything_about(user: User) -> dict[str, Any]:
    """All that is kept about one person, as JSON can say it; no password, key, code, seed or hash of one."""
    direct = set(user.groups.all())
    return {
        "user": {
            **_row(user),
            "pk": user.pk,
            "uid": user.uid,
            "last_updated": user.last_updated.isoformat(),
            "has_password": user.has_usable_password(),
            "password_change_date": user.password_change_date.isoformat(),
        },
        "inherited_groups": [group.name for group in user.all_groups() if group not in direct],
        "roles": [role.name for role in roles_of(user)],
        "logins": [_login(row) for row in user.login_sessions.select_related("impersonator").order_by("-last_used")],
        "applications_entered": [_proxy_session(row) for row in _proxy_sessions(user)],
        "tokens": [_token(row) for row in user.tokens.select_related("application")],
        "issued_tokens": [_issued(row) for row in user.issued_tokens.select_related("provider").order_by("-issued")],
        "consents": [_consent(row) for row in user.consents.select_related("application")],
        "factors": [
            {
                "kind": str(device.CLASS),
                "name": device.name,
                "created": _time(device.created),
                "last_used": _time(device.last_used),
            }
            for device in authenticators.devices(user)
        ],
        "remembered_browsers": [
            {
                "user_agent": row.user_agent,
                "last_ip": row.last_ip,
                "created": _time(row.created),
                "last_used": _time(row.last_used),
                "expires": _time(row.expires),
            }
            for row in user.remembered_devices.all()
        ],
        "accounts_elsewhere": [_connection(row) for row in user.source_connections.select_related("source")],
        "access_requests": [_request(row) for row in user.access_requests.select_related("application", "decided_by")],
        "former_passwords": [_time(row.replaced) for row in user.former_passwords.all()],
        "past_logins": [{"ip": row.ip, "at": _time(row.at)} for row in user.past_logins.all()],
        "notifications": [_notification(row) for row in user.notifications.all()],
        "events": [_event(row) for row in _events(user)[:MOST_EVENTS]],
    }


def _login(row: LoginSession) -> dict[str, Any]:
    return {
        "uuid": str(row.uuid),
        "last_ip": row.last_ip,
        "last_user_agent": row.last_user_agent,
        "methods": row.methods,
        "since": _time(row.authenticated_at),
        "last_used": _time(row.last_used),
        "expires": _time(row.expire_date),
        "impersonator": row.impersonator.username if row.impersonator is not None else None,
    }


def _proxy_sessions(user: User) -> Iterable[StoredSession]:
    return user.stored_sessions.select_related("provider").order_by("-created")


def _proxy_session(row: StoredSession) -> dict[str, Any]:
    return {
        "provider": row.provider.name,
        "created": _time(row.created),
        "last_seen": _time(row.last_seen),
        "expires": _time(row.expires),
    }


def _token(row: Any) -> dict[str, Any]:
    return {
        "identifier": row.identifier,
        "intent": str(row.intent),
        "description": row.description,
        "expires": _time(row.expires) if row.expiring else None,
        "application": row.application.slug if row.application is not None else None,
        "read_only": row.read_only,
        "resources": list(row.parts),
        "last_used": _time(row.last_used),
    }


def _issued(row: IssuedToken) -> dict[str, Any]:
    return {
        "kind": str(row.kind),
        "provider": row.provider.name,
        "scope": row.scope,
        "issued": _time(row.issued),
        "expires": _time(row.expires),
        "revoked": row.revoked,
    }


def _consent(row: Consent) -> dict[str, Any]:
    return {"application": row.application.slug, "permissions": row.permissions, "expires": _time(row.expires)}


def _connection(row: UserSourceConnection) -> dict[str, Any]:
    return {
        "source": row.source.slug,
        "identifier": row.identifier,
        "created": _time(row.created),
        "last_used": _time(row.last_used),
    }


def _request(row: AccessRequest) -> dict[str, Any]:
    return {
        "application": row.application.slug,
        "reason": row.reason,
        "until": _time(row.until),
        "status": str(row.status),
        "created": _time(row.created),
        "decided_by": row.decided_by.username if row.decided_by is not None else None,
        "answer": row.answer,
    }


def _notification(row: Notification) -> dict[str, Any]:
    return {"severity": str(row.severity), "body": row.body, "created": _time(row.created), "seen": row.seen}


def _events(user: User) -> QuerySet[Event]:
    """What they did, what was done in their name, and what was done to their account."""
    about = Q(context__model__app="authentik_core", context__model__model_name="user", context__model__pk=str(user.pk))
    target = Q(context__target__model_name="user", context__target__pk=str(user.pk))
    return Event.objects.filter(Q(user__pk=user.pk) | Q(user__on_behalf_of__pk=user.pk) | about | target).order_by(
        "-created"
    )


def _event(row: Event) -> dict[str, Any]:
    return {
        "action": row.action,
        "app": row.app,
        "user": row.user,
        "client_ip": row.client_ip,
        "created": _time(row.created),
        "context": row.context,
    }


def _time(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None
