"""How the pages look and which flows they start (``contracts/identity.md`` section 12)."""

from __future__ import annotations

import uuid

from django.db import models

from doorward.identity.applications.models import Application
from doorward.identity.flows.models import Flow


def _flow() -> models.ForeignKey[Flow | None, Flow | None]:
    return models.ForeignKey(Flow, null=True, on_delete=models.SET_NULL, related_name="+")


class Brand(models.Model):
    brand_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    domain = models.TextField(unique=True)
    """A host name that it is for, with everything below it."""
    default = models.BooleanField(default=False)
    """The one for every other host."""
    branding_title = models.TextField(default="Doorward")
    branding_logo = models.TextField(blank=True, default="")
    branding_favicon = models.TextField(blank=True, default="")
    branding_custom_css = models.TextField(blank=True, default="", db_default="")
    """Kept for configurations that have one, and never served: it is written for other pages."""
    branding_default_flow_background = models.TextField(blank=True, default="", db_default="")
    """Kept likewise."""
    flow_authentication = _flow()
    flow_invalidation = _flow()
    flow_recovery = _flow()
    flow_unenrollment = _flow()
    flow_user_settings = _flow()
    flow_device_code = _flow()
    default_application = models.ForeignKey(Application, null=True, on_delete=models.SET_NULL, related_name="+")
    """Where users who only come for one application are sent instead of to the library."""
    attributes = models.JSONField(default=dict, blank=True)
    """``settings``: theme (base, accent, accent_dark) and locale; the rest is the operator's."""

    def __str__(self) -> str:
        return self.domain


class Picture(models.Model):
    """An uploaded logo, favicon or icon. Goes when neither a brand nor an application shows it any more."""

    key = models.CharField(primary_key=True, max_length=64)
    """SHA-256 of its content, in hexadecimal digits: an address never means another picture."""
    media_type = models.CharField(max_length=40)
    content = models.BinaryField()
