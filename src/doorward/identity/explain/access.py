"""Why somebody may enter an application, or may not, as things are now."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.explain.sessions import live_sessions
from doorward.identity.outposts import step_up
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.policies.models import PolicyBinding
from doorward.identity.policies.queries import memberships, verdict, weighed
from doorward.messages.decisions import Weighed
from doorward.messages.explanations import AccessNow


def access_now(application: Application, user: User) -> AccessNow:
    """Every binding with what it says, and the sessions with which the person gets in without being judged again."""
    bindings = list(application.bindings.select_related("user", "group", "policy").order_by("order"))
    provider = application.provider.concrete() if application.provider is not None else None
    proxy = provider if isinstance(provider, ProxyProvider) else None
    groups = memberships(user)
    judged = verdict(application, user)
    sessions = live_sessions(proxy, user) if proxy is not None else ()
    return AccessNow(
        application=application.slug,
        name=application.name,
        user=user.username,
        passing=judged.passing,
        mode=application.policy_engine_mode,
        weighed=tuple(_weigh(binding, user, groups) for binding in bindings),
        provider=provider.name if provider is not None else "",
        external_host=proxy.external_host if proxy is not None else "",
        skip_rules=proxy.skip_path_regex if proxy is not None else "",
        sessions=sessions,
        notes=tuple(_notes(application, proxy, user, bindings)),
    )


def _weigh(binding: PolicyBinding, user: User, groups: frozenset[UUID]) -> Weighed:
    if binding.policy is not None:
        subject = f"policy {binding.policy.name}"
    else:
        subject = f"group {binding.group.name}" if binding.group is not None else f"user {binding.user}"
    name = f"{'not ' if binding.negate else ''}{subject}"
    if not binding.enabled:
        return Weighed(name, False, "switched off: it is not asked")
    outcome = weighed(binding, user, groups)
    return Weighed(name, outcome.passing, outcome.reason)


def _notes(
    application: Application, provider: ProxyProvider | None, user: User, bindings: list[PolicyBinding]
) -> list[str]:
    notes = []
    if not user.is_active:
        notes.append("The user is deactivated.")
    if not any(binding.enabled for binding in bindings):
        notes.append("The application has no access rules in force: everybody with an account may enter.")
    if provider is None:
        notes.append("No proxy provider: the outpost protects nothing here.")
        return notes
    if not provider.outposts.exists():
        notes.append("The provider is assigned to no outpost, so no proxy gets an answer about it.")
    if provider.skip_path_regex.strip():
        notes.append("Some paths are open to everybody, logged in or not (unauthenticated paths).")
    if provider.step_up_rules:
        rules = "; ".join(step_up.line_of(rule) for rule in provider.step_up_rules)
        notes.append(f"Some paths ask for more than a login: {rules}.")
    if provider.skip_preflight:
        notes.append("CORS preflights pass without a session.")
    return notes


def now() -> float:
    return timezone.now().timestamp()
