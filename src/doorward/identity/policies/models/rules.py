"""Policies by a rule that somebody has written, or by none."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from doorward.identity.expressions.errors import ExpressionInvalid
from doorward.identity.expressions.parsing import parse
from doorward.identity.policies.event_query import QueryInvalid, require_query
from doorward.identity.policies.models.base import Policy
from doorward.identity.policies.models.circumstances import require_network


def require_expression(text: str) -> None:
    """Raises ValidationError for what is no expression, with the line and what to write instead."""
    try:
        parse(text)
    except ExpressionInvalid as invalid:
        raise ValidationError(str(invalid)) from invalid


class ExpressionPolicy(Policy):
    """Passes where its expression returns something true (section 5.3)."""

    KIND = "expression"

    expression = models.TextField(validators=[require_expression])


class DummyPolicy(Policy):
    """Says what it is told to; to try out bindings."""

    KIND = "dummy"

    result = models.BooleanField(default=False)
    wait_min = models.PositiveIntegerField(default=5)
    wait_max = models.PositiveIntegerField(default=30)
    """Kept for clients; it says so at once."""


class EventMatcherPolicy(Policy):
    """Passes for events that are what it asks for; an empty field asks for nothing (``event_matching``)."""

    KIND = "eventmatcher"

    action = models.CharField(max_length=64, blank=True, default="")
    client_ip = models.CharField(max_length=64, blank=True, default="")
    """An address, or a network."""
    app = models.CharField(max_length=128, blank=True, default="")
    """As events have it: ``authentik.core``."""
    model = models.CharField(max_length=128, blank=True, default="")
    """What the event is about: ``authentik_core.user``."""
    query = models.TextField(blank=True, default="")
    """``event_query``."""

    def clean(self) -> None:
        if self.client_ip:
            require_network(self.client_ip, "client_ip")
        if self.query:
            try:
                require_query(self.query)
            except QueryInvalid as invalid:
                raise ValidationError({"query": [str(invalid)]}) from invalid
