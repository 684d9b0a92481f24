"""Protect an application: the three steps that people forget one of, as one."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from doorward.identity.applications.actions import create_application
from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow
from doorward.identity.outposts import instances, queries
from doorward.identity.outposts.collisions import refuse_second
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.outposts.providers import create_proxy_provider
from doorward.identity.policies.actions import bind

AUTHORIZATION_FLOW = "default-provider-authorization-implicit-consent"
INVALIDATION_FLOW = "default-provider-invalidation-flow"
_OF_APPLICATION = frozenset({"group", "meta_launch_url", "meta_icon", "meta_description", "meta_publisher"})


def protect(
    actor: Actor,
    *,
    name: str,
    slug: str,
    external_host: str,
    groups: Iterable[Group] = (),
    users: Iterable[User] = (),
    authorization_flow: Flow | None = None,
    invalidation_flow: Flow | None = None,
    mode: str = ProxyProvider.Mode.FORWARD_SINGLE,
    **fields: object,
) -> Application:
    """Provider, application, assignment to the embedded outpost and bindings, all or nothing. In force at once.

    Who may enter: the members of ``groups`` and ``users``; everybody with an account when both are empty. ``fields``
    are those of an application (group, meta_…) or else of a proxy provider. Raises ValidationError.
    """
    with transaction.atomic():
        refuse_second(external_host, mode, str(fields.get("cookie_domain", "")))
        of_application = {field: value for field, value in fields.items() if field in _OF_APPLICATION}
        of_provider = {field: value for field, value in fields.items() if field not in _OF_APPLICATION}
        provider = create_proxy_provider(
            actor,
            name=f"Provider for {name}",
            external_host=external_host,
            authorization_flow=authorization_flow or Flow.objects.get(slug=AUTHORIZATION_FLOW),
            invalidation_flow=invalidation_flow or Flow.objects.get(slug=INVALIDATION_FLOW),
            mode=mode,
            **of_provider,  # type: ignore[arg-type]  # checked by name inside
        )
        application = create_application(actor, name=name, slug=slug, provider=provider, **of_application)
        for order, group in enumerate(groups):
            bind(actor, application, group=group, order=order)
        for order, user in enumerate(users, start=100):
            bind(actor, application, user=user, order=order)
        outpost = queries.embedded()
        instances.assign(actor, outpost, [*outpost.providers.all(), provider])
    return application
