"""How the pages look and which flows they start (``contracts/identity.md`` section 12)."""

from __future__ import annotations

import uuid

from django.db import models

from doorward.identity.flows.models import Flow


class Brand(models.Model):
    brand_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    domain = models.TextField(unique=True)
    default = models.BooleanField(default=False)
    branding_title = models.TextField(default="Doorward")
    branding_logo = models.TextField(blank=True, default="")
    branding_favicon = models.TextField(blank=True, default="")
    flow_authentication = models.ForeignKey(Flow, null=True, on_delete=models.SET_NULL, related_name="+")
    flow_invalidation = models.ForeignKey(Flow, null=True, on_delete=models.SET_NULL, related_name="+")
    attributes = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.domain
