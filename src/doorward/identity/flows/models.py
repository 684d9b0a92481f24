"""Flows and the stages bound into them."""

from __future__ import annotations

import uuid

from django.db import models

from doorward.identity.policies.models import PolicyTarget
from doorward.identity.stages.models import Stage


class Flow(PolicyTarget):
    """``contracts/identity.md`` section 6.1."""

    class Designation(models.TextChoices):
        AUTHENTICATION = "authentication"
        AUTHORIZATION = "authorization"
        INVALIDATION = "invalidation"
        ENROLLMENT = "enrollment"
        UNRENOLLMENT = "unenrollment"
        RECOVERY = "recovery"
        STAGE_CONFIGURATION = "stage_configuration"

    class Authentication(models.TextChoices):
        NONE = "none"
        REQUIRE_AUTHENTICATED = "require_authenticated"
        REQUIRE_UNAUTHENTICATED = "require_unauthenticated"
        REQUIRE_SUPERUSER = "require_superuser"
        REQUIRE_REDIRECT = "require_redirect"
        REQUIRE_OUTPOST = "require_outpost"

    class DeniedAction(models.TextChoices):
        MESSAGE_CONTINUE = "message_continue"
        MESSAGE = "message"
        CONTINUE = "continue"

    class Layout(models.TextChoices):
        STACKED = "stacked"
        CONTENT_LEFT = "content_left"
        CONTENT_RIGHT = "content_right"
        SIDEBAR_LEFT = "sidebar_left"
        SIDEBAR_RIGHT = "sidebar_right"

    policytarget_ptr = models.OneToOneField(
        PolicyTarget, parent_link=True, on_delete=models.CASCADE, related_name="as_flow"
    )
    """Named, because the reverse of the usual name would hide ``FlowStageBinding.flow``."""
    name = models.TextField()
    slug = models.SlugField(unique=True)
    title = models.TextField()
    """May contain ``%(app)s``."""
    designation = models.CharField(max_length=32, choices=Designation.choices)
    background = models.TextField(blank=True, default="")
    layout = models.CharField(max_length=32, choices=Layout.choices, default=Layout.STACKED)
    compatibility_mode = models.BooleanField(
        default=False,
        help_text="Kept for configurations that set it. The login pages are plain HTML that every password manager "
        "reads, so the switch changes nothing.",
    )
    denied_action = models.CharField(max_length=32, choices=DeniedAction.choices, default=DeniedAction.MESSAGE_CONTINUE)
    authentication = models.CharField(max_length=32, choices=Authentication.choices, default=Authentication.NONE)
    stages: models.ManyToManyField[Stage, FlowStageBinding] = models.ManyToManyField(
        Stage, through="FlowStageBinding", related_name="flows"
    )

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class FlowStageBinding(PolicyTarget):
    """A stage at its place in a flow (section 6.2)."""

    class InvalidResponseAction(models.TextChoices):
        RETRY = "retry"
        RESTART = "restart"
        RESTART_WITH_CONTEXT = "restart_with_context"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="stage_bindings")
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="flow_bindings")
    order = models.IntegerField()
    evaluate_on_plan = models.BooleanField(default=False)
    re_evaluate_policies = models.BooleanField(default=True)
    invalid_response_action = models.CharField(
        max_length=32, choices=InvalidResponseAction.choices, default=InvalidResponseAction.RETRY
    )

    class Meta:
        ordering = ["flow", "order"]
        constraints = [models.UniqueConstraint(fields=["flow", "stage", "order"], name="stage_once_per_place")]

    def __str__(self) -> str:
        return f"{self.flow.slug} #{self.order}"
