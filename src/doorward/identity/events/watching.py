"""Verify the chain once a day and say so when it is broken: the chore ``events.verify``.

What was found is kept for the page, and becomes an event (and so a notification) when it is not what was found the day
before: a chain that was broken once stays so, and need not be told every day.
"""

from __future__ import annotations

from django.utils import timezone

from doorward.identity.events import actions, chain, sealing, verifying
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Chain
from doorward.identity.events.verifying import Report

TOLD = 10
"""Findings in the event; the rest is on the page."""


def look() -> Report:
    """Seal, verify, and keep what was found."""
    sealing.seal()
    report = verifying.verify()
    former = chain.beginning().findings
    Chain.objects.filter(pk=1).update(verified=timezone.now(), findings=report.findings)
    if report.findings and report.findings != former:
        actions.record(
            "suspicious_request",
            "authentik.events",
            Actor.system(),
            message="The record of events was tampered with",
            findings=report.findings[:TOLD],
            count=len(report.findings) + report.more,
        )
    return report
