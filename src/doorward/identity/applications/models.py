"""The catalogue: applications, and the providers through which people get into them."""

from __future__ import annotations

from django.db import models

from doorward.identity.directory.models import User
from doorward.identity.flows.models import Flow
from doorward.identity.policies.models import PolicyTarget


class Provider(models.Model):
    """Base of all providers; names are unique over all kinds. ``kind`` names the child table."""

    name = models.TextField(unique=True)
    kind = models.CharField(max_length=32, editable=False)
    authentication_flow = models.ForeignKey(Flow, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    authorization_flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="+")
    invalidation_flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="+")

    KIND = ""

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        if self.KIND:
            self.kind = self.KIND
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def concrete(self) -> Provider:
        """This provider as an object of its own kind."""
        if type(self) is not Provider:
            return self
        oauth2: Provider = getattr(self, "oauth2provider")  # noqa: B009 - a reverse relation of another app
        return getattr(oauth2, "proxyprovider") if self.kind == "proxy" else oauth2  # noqa: B009


class Application(PolicyTarget):
    """``contracts/identity.md`` section 4.1. Without a binding everybody may enter."""

    name = models.TextField()
    slug = models.SlugField(unique=True)
    group = models.TextField(blank=True, default="")
    """Heading under which the library shows it."""
    provider = models.OneToOneField(
        Provider, null=True, blank=True, on_delete=models.SET_NULL, related_name="application"
    )
    open_in_new_tab = models.BooleanField(default=False)
    meta_launch_url = models.TextField(blank=True, default="")
    meta_icon = models.TextField(blank=True, default="")
    meta_description = models.TextField(blank=True, default="")
    meta_publisher = models.TextField(blank=True, default="")
    meta_hide = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Entitlement(PolicyTarget):
    """A right inside an application, by a name that the application understands; its bindings say who has it
    (section 4.1). The application is told by the claims of the scope ``entitlements``."""

    app = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="entitlements")
    name = models.TextField()
    attributes = models.JSONField(blank=True, default=dict)
    """Kept for whoever manages them; no application is told."""

    IS_A_DOOR = False

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["app", "name"], name="one_entitlement_of_a_name")]

    def __str__(self) -> str:
        return self.name


class Consent(models.Model):
    """What a user agreed that an application may be told, until when (section 3.5)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="consents")
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="consents")
    permissions = models.TextField()
    """Scope names, sorted, separated by spaces."""
    expires = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "application", "permissions"], name="one_consent")]
