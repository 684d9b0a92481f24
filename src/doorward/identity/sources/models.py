"""Identity sources: other places that say who somebody is, and who here is known to them by which identifier.

A source is a policy target: its bindings say who sees it and may come through it. Kinds (OAuth, LDAP, SAML) are
children of ``Source`` with a ``KIND``; what all of them share is decided by ``matching`` and done by ``arrivals``.
"""

from __future__ import annotations

import uuid

from django.db import models

from doorward.identity.crypto import vault
from doorward.identity.directory.models import Group, User
from doorward.identity.flows.models import Flow
from doorward.identity.policies.models import PolicyTarget, require_expression


class SourceMapping(models.Model):
    """An expression that turns what a source says into properties of a user or a group (``mapping``)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=32)
    """The kind of sources that it is for: the names it may use differ."""
    managed = models.TextField(null=True, unique=True, default=None)
    name = models.TextField(unique=True)
    expression = models.TextField(validators=[require_expression])

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Source(PolicyTarget):
    """``contracts/identity.md`` section 14. ``kind`` names the child table."""

    class UserMatching(models.TextChoices):
        """Who here is meant, when nobody is connected to the upstream identifier yet."""

        IDENTIFIER = "identifier"
        EMAIL_LINK = "email_link"
        EMAIL_DENY = "email_deny"
        USERNAME_LINK = "username_link"
        USERNAME_DENY = "username_deny"

    class GroupMatching(models.TextChoices):
        IDENTIFIER = "identifier"
        NAME_LINK = "name_link"
        NAME_DENY = "name_deny"

    KIND = ""

    kind = models.CharField(max_length=32, editable=False)
    name = models.TextField(unique=True)
    slug = models.SlugField(unique=True)
    enabled = models.BooleanField(default=True)
    promoted = models.BooleanField(default=False)
    """A wide button on the login page instead of a small one."""
    authentication_flow = models.ForeignKey(Flow, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """What whoever is known goes through; without one nobody logs in."""
    enrollment_flow = models.ForeignKey(Flow, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """What newcomers go through; without one the source brings no new people."""
    user_property_mappings = models.ManyToManyField(SourceMapping, related_name="+", blank=True)
    group_property_mappings = models.ManyToManyField(SourceMapping, related_name="+", blank=True)
    user_matching_mode = models.CharField(max_length=16, choices=UserMatching.choices, default=UserMatching.IDENTIFIER)
    group_matching_mode = models.CharField(
        max_length=16, choices=GroupMatching.choices, default=GroupMatching.IDENTIFIER
    )
    user_path_template = models.TextField(default="goauthentik.io/sources/%(slug)s")
    icon = models.TextField(blank=True, default="")
    """URL, or path on this host; empty for the one that the kind has."""
    managed = models.TextField(null=True, unique=True, default=None)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        if self.KIND:
            self.kind = self.KIND
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def concrete(self) -> Source:
        """This source as an object of its own kind."""
        if type(self) is not Source:
            return self
        source: Source = getattr(self, f"{self.kind}source")
        return source

    @property
    def user_path(self) -> str:
        """``path`` of the users that it brings; ``%(slug)s`` is the one thing replaced in the template."""
        return self.user_path_template.replace("%(slug)s", self.slug).strip("/") or "users"


class Connection(models.Model):
    """Somebody or something here is known to a source by an identifier that the source never gives to another."""

    identifier = models.TextField()
    created = models.DateTimeField(auto_now_add=True)
    last_updated = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class UserSourceConnection(Connection):
    """Its user never changes: another owner is another connection (S-603)."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="user_connections")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="source_connections")
    last_used = models.DateTimeField(null=True, default=None)
    """When it was last logged in through."""

    class Meta:
        ordering = ["source__name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "identifier"], name="one_user_per_upstream_identifier"),
            models.UniqueConstraint(fields=["source", "user"], name="one_connection_per_user_and_source"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.source}"


class GroupSourceConnection(Connection):
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="group_connections")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="source_connections")

    class Meta:
        ordering = ["source__name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "identifier"], name="one_group_per_upstream_identifier"),
        ]

    def __str__(self) -> str:
        return f"{self.group} at {self.source}"


class OAuthSource(Source):
    """A provider of OAuth 2 or OpenID Connect. The secret is encrypted at rest, bound to this source."""

    KIND = "oauth"

    class Pkce(models.TextChoices):
        NONE = "none"
        PLAIN = "plain"
        S256 = "S256"

    class AuthMethod(models.TextChoices):
        """How this program shows at the token endpoint who it is."""

        BASIC = "basic_auth"
        POST = "post_body"

    provider_type = models.CharField(max_length=32, default="openidconnect")
    """A name of ``oauth.presets``."""
    request_token_url = models.TextField(blank=True, default="")
    """Kept for clients; only OAuth 1 has it."""
    authorization_url = models.TextField(blank=True, default="")
    access_token_url = models.TextField(blank=True, default="")
    profile_url = models.TextField(blank=True, default="")
    pkce = models.CharField(max_length=8, choices=Pkce.choices, default=Pkce.S256)
    consumer_key = models.TextField()
    sealed_consumer_secret = models.TextField(blank=True, default="")
    additional_scopes = models.TextField(blank=True, default="")
    oidc_well_known_url = models.TextField(blank=True, default="")
    """With it, the endpoints, keys and issuer are discovered, and ID tokens are required and checked."""
    oidc_jwks_url = models.TextField(blank=True, default="")
    oidc_jwks = models.JSONField(default=dict, blank=True)
    """Keys that were written down instead of fetched."""
    authorization_code_auth_method = models.CharField(
        max_length=16, choices=AuthMethod.choices, default=AuthMethod.BASIC
    )

    @property
    def consumer_secret(self) -> str:
        """Raises vault.Unreadable."""
        return vault.unseal(self.sealed_consumer_secret, self.place()) if self.sealed_consumer_secret else ""

    @consumer_secret.setter
    def consumer_secret(self, secret: str) -> None:
        self.sealed_consumer_secret = vault.seal(secret, self.place()) if secret else ""

    def place(self) -> str:
        """What the secret is sealed to."""
        return f"sources.oauthsource.sealed_consumer_secret:{self.id}"
