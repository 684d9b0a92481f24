"""Read requests for access: what can be asked for, whom, and who decides."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone

from doorward.identity.access_requests.models import AccessOffer, AccessRequest
from doorward.identity.applications.models import Application
from doorward.identity.applications.queries import accessible
from doorward.identity.directory.models import Group, User
from doorward.identity.policies.asked import NOTHING_KNOWN, Asked


def offer_of(application: Application) -> AccessOffer | None:
    """None where it cannot be asked for."""
    return AccessOffer.objects.filter(application=application, enabled=True).first()


def to_ask_for(user: User, asked: Asked = NOTHING_KNOWN) -> list[Application]:
    """Applications that the user may not enter and may ask for, by name."""
    offered = list(Application.objects.filter(offer__enabled=True).order_by("name"))
    if not offered:
        return []
    inside = {application.pk for application in accessible(user, asked=asked)}
    return [application for application in offered if application.pk not in inside]


def decided_by(user: User) -> Q:
    """Requests that the user decides: as an approver of the application, or as a superuser; never their own."""
    if user.is_superuser:
        return ~Q(user=user)
    groups = [group.pk for group in user.all_groups()]
    offers = AccessOffer.objects.filter(Q(approver_users=user) | Q(approver_groups__in=groups))
    return Q(application__in=offers.values("application")) & ~Q(user=user)


def may_decide(user: User, request: AccessRequest) -> bool:
    """Whether it is theirs to say yes or no."""
    return user.is_active and AccessRequest.objects.filter(decided_by(user), pk=request.pk).exists()


def approvers(offer: AccessOffer) -> QuerySet[User]:
    """Whoever is asked: the users, and the members of the groups and of the groups below them."""
    groups, waiting = set[Group](), list(offer.approver_groups.all())
    while waiting:
        group = waiting.pop()
        if group not in groups:
            groups.add(group)
            waiting.extend(group.children.all())
    return User.objects.filter(Q(offers_to_decide=offer) | Q(groups__in=groups), is_active=True).distinct()


def live() -> Q:
    """Requests that give access now."""
    return Q(status=AccessRequest.Status.APPROVED, binding__enabled=True, binding__expires__gt=timezone.now())
