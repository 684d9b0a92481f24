"""The rules that a new installation has, by authentik's names; made once, and whoever deletes them is rid of them."""

from __future__ import annotations

from django.db import transaction

from doorward.identity.directory.models import Group
from doorward.identity.events.models import Link
from doorward.identity.notifications.models import Cursor, Rule, Severity, Transport
from doorward.identity.policies.models import EventMatcherPolicy, PolicyBinding

RULES = (
    (
        "default-notify-configuration-error",
        Severity.ALERT,
        (("default-match-configuration-error", {"action": "configuration_error"}),),
    ),
    (
        "default-notify-exception",
        Severity.ALERT,
        (
            ("default-match-policy-exception", {"action": "policy_exception"}),
            ("default-match-property-mapping-exception", {"action": "property_mapping_exception"}),
            ("default-match-system-exception", {"action": "system_exception"}),
        ),
    ),
    (
        "default-notify-tampering",
        Severity.ALERT,
        (("default-match-tampering", {"action": "suspicious_request", "app": "authentik.events"}),),
    ),
)


def ensure(admins: Group) -> None:
    """Make what is shipped, unless that was done before."""
    with transaction.atomic():
        newest = Link.objects.order_by("-number").values_list("number", flat=True).first() or 0
        _, made = Cursor.objects.get_or_create(pk=1, defaults={"number": newest})
        if not made:
            return
        local, _ = Transport.objects.get_or_create(name="default-local-transport")
        mail, _ = Transport.objects.get_or_create(
            name="default-email-transport", defaults={"mode": Transport.Mode.EMAIL}
        )
        for name, severity, policies in RULES:
            rule, fresh = Rule.objects.get_or_create(
                name=name, defaults={"severity": severity, "destination_group": admins}
            )
            if not fresh:
                continue
            rule.transports.set([local, mail])
            for order, (policy_name, asks) in enumerate(policies):
                policy, _ = EventMatcherPolicy.objects.get_or_create(name=policy_name, defaults=asks)
                PolicyBinding.objects.create(target=rule, policy=policy, order=order)
