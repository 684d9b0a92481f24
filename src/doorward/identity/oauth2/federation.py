"""Programs that come with a token of another issuer, which a provider trusts (``jwt_federation_sources``).

The issuer says which of *its* accounts a program is; who that is here is ours to say. Whoever is connected to the
source by that identifier is meant: a person, or a service account that an administrator has connected. Nobody else is
known by name, and most issuers have more accounts than belong to us (a hosting service signs for every project that it
has, for whatever audience the project asks for). So all others together are one service account of provider and source,
and it opens nothing until it is bound to the application itself or through a group, whatever else the application's
rules let in. In every case the bindings of the source and those of the application must pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.directory.names import folded
from doorward.identity.oauth2 import machine_users
from doorward.identity.oauth2.issuer import issuer_of
from doorward.identity.oauth2.models import IssuedToken, OAuth2Provider
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.models import PolicyBinding
from doorward.identity.policies.queries import memberships, verdict
from doorward.identity.sources.models import OAuthSource, UserSourceConnection
from doorward.identity.sources.oauth import assertions
from doorward.identity.sources.oauth.errors import SourceFailed
from doorward.tokens.refused import TokenRefused


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who a program is, on whose word, and how long that holds at most."""

    user: User
    source: OAuthSource
    identifier: str
    """At the source."""
    expires: datetime


@dataclass(frozen=True, slots=True)
class NotVouched:
    """Why nobody is recognised; for administrators."""

    reason: str
    source: OAuthSource | None = None
    identifier: str = ""
    """At the source, once its signature was good."""


def recognised(provider: OAuth2Provider, application: Application, token: str, asked: Asked) -> Vouched | NotVouched:
    """Whose ``token`` of another issuer this is, for the client that ``provider`` is to ``application``."""
    trusted = provider.jwt_federation_sources.filter(enabled=True)
    source = assertions.of_issuer(trusted, token)
    if source is None:
        return NotVouched("No source that this provider trusts has this issuer.")
    try:
        assertion = assertions.verified(source, token, frozenset({provider.client_id, issuer_of(provider)}))
    except (TokenRefused, SourceFailed) as error:
        return NotVouched(str(error), source)
    user = _user(provider, application, source, assertion.identifier)
    if user is None:
        name = machine_users.name_at_source(provider, source)
        reason = (
            f"Nobody here is connected to it at this source, and “{name}”, which stands for all others, is not bound "
            "to the application."
        )
        return NotVouched(reason, source, assertion.identifier)
    if not user.is_active:
        return NotVouched(f"“{user}” is deactivated.", source, assertion.identifier)
    if not verdict(source, user, asked).passing:
        return NotVouched(f"The bindings of the source do not let “{user}” through.", source, assertion.identifier)
    return Vouched(user, source, assertion.identifier, datetime.fromtimestamp(min(assertion.expires, _LATEST), UTC))


def still_vouched(row: IssuedToken) -> bool:
    """Whether the source that said who has this token is still believed about that user. True for all other tokens.

    A token that was made in exchange for one is for a service that need not trust the source itself.
    """
    source = row.vouched_by
    if source is None or not source.enabled:
        return source is None
    if row.act is not None:
        return True
    if not row.provider.jwt_federation_sources.filter(pk=source.pk).exists():
        return False
    known = UserSourceConnection.objects.filter(source=source, user=row.user)
    if known.filter(last_updated__lte=row.issued).exists():  # by the same identifier as then
        return True
    stands_for_all = row.user.folded_username == folded(machine_users.name_at_source(row.provider, source))
    application = getattr(row.provider, "application", None)
    return stands_for_all and application is not None and _is_bound(application, row.user)


def _user(provider: OAuth2Provider, application: Application, source: OAuthSource, identifier: str) -> User | None:
    connection = (
        UserSourceConnection.objects.select_related("user").filter(source=source, identifier=identifier).first()
    )
    if connection is not None:
        return connection.user
    user = machine_users.at_source(provider, source)
    return user if user is not None and _is_bound(application, user) else None


def _is_bound(application: Application, user: User) -> bool:
    """Whether somebody has said of this very user, or of a group of theirs, that they may enter."""
    named = Q(user=user) | Q(group__in=memberships(user))
    bound = PolicyBinding.objects.filter(named, target_id=application.pk, enabled=True, negate=False)
    return any(not binding.has_ended(timezone.now()) for binding in bound)


def usable(sources: Iterable[OAuthSource]) -> list[OAuthSource]:
    """``sources``, each of which has an issuer, and no two the same. Raises ValidationError."""
    found = list(sources)
    for source in found:
        if not assertions.well_known_url(source):
            text = f"“{source.name}” has no well-known URL, so nobody can tell which tokens are of its issuer."
            raise ValidationError({"jwt_federation_sources": [text]})
    if len({assertions.well_known_url(source) for source in found}) < len(found):
        text = "Two of these sources have the same issuer: whose accounts are meant?"
        raise ValidationError({"jwt_federation_sources": [text]})
    return found


def names(provider: OAuth2Provider) -> list[str]:
    """Of the sources that it trusts."""
    return sorted(provider.jwt_federation_sources.values_list("name", flat=True))


_LATEST = 253402300799.0
"""The last second that a date can say."""
