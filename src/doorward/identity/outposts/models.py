"""Outposts, the proxy providers that they serve, and the sessions that they keep with us."""

from __future__ import annotations

import secrets
import string
import uuid

from django.db import models
from django.utils import timezone

from doorward.identity.applications.models import Provider
from doorward.identity.crypto import vault
from doorward.identity.directory.models import User
from doorward.identity.logins.models import LoginSession
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.identity.oauth2.scopes import OFFLINE_ACCESS

EMBEDDED = "goauthentik.io/outposts/embedded"
"""``managed`` of the outpost that lives in this program."""


def new_cookie_secret() -> str:
    return "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(32))


class ProxyProvider(OAuth2Provider):
    """``contracts/identity.md`` section 4.4. What is forced on every save is done in ``outposts.actions``."""

    KIND = "proxy"

    class Mode(models.TextChoices):
        PROXY = "proxy"
        FORWARD_SINGLE = "forward_single"
        FORWARD_DOMAIN = "forward_domain"

    class CookiePrefix(models.TextChoices):
        NONE = "", "authentik_proxy_…"
        HOST = "host", "__Host-authentik_proxy_…"
        SECURE = "secure", "__Secure-authentik_proxy_…"

    external_host = models.TextField()
    internal_host = models.TextField(blank=True, default="")
    internal_host_ssl_validation = models.BooleanField(default=True)
    mode = models.CharField(max_length=16, choices=Mode.choices, default=Mode.PROXY)
    cookie_domain = models.TextField(blank=True, default="")
    sealed_cookie_secret = models.TextField(blank=True, default="")
    skip_path_regex = models.TextField(blank=True, default="")
    step_up_rules = models.JSONField(default=list, db_default=models.Value([], models.JSONField()), blank=True)
    """What some paths ask of a login beyond the rest (``outposts.step_up``)."""
    intercept_header_auth = models.BooleanField(default=True)
    basic_auth_enabled = models.BooleanField(default=False)
    basic_auth_user_attribute = models.TextField(blank=True, default="")
    basic_auth_password_attribute = models.TextField(blank=True, default="")
    redirect_everything = models.BooleanField(default=False)
    """Send strangers to log in even when the request is no navigation; the original's behaviour."""
    skip_preflight = models.BooleanField(default=False)
    """Let a browser's CORS preflight pass without a session (S-224)."""
    keep_posts = models.BooleanField(default=False)
    """Keep a form that meets an ended session, and offer to send it after the login."""
    cookie_prefix = models.CharField(
        max_length=6, choices=CookiePrefix.choices, default=CookiePrefix.NONE, db_default="", blank=True
    )
    """What the name of the session cookie begins with."""
    jwt_federation_providers = models.ManyToManyField(OAuth2Provider, related_name="+", blank=True)
    """A program's access token for one of these opens this application as well, to whom it lets in."""
    idle_limit = models.TextField(default="seconds=0")
    """A session ends when no request came with it for so long. Nothing: no limit."""

    def save(self, *args: object, **kwargs: object) -> None:
        if not self.sealed_cookie_secret:
            secret = new_cookie_secret()
            self.sealed_cookie_secret = vault.seal(secret, self.place_of_cookie_secret())
        super().save(*args, **kwargs)

    @property
    def renew_sessions(self) -> bool:
        """Whether the outpost may ask for refresh tokens, and so renews its sessions without a browser noticing."""
        return any(mapping.scope_name == OFFLINE_ACCESS for mapping in self.scope_mappings.all())

    @property
    def domain(self) -> str:
        """All hosts under it share this provider's login; empty for a single application."""
        domain = self.cookie_domain if self.mode == self.Mode.FORWARD_DOMAIN else ""
        return domain.strip().lower().strip(".")

    @property
    def cookie_secret(self) -> str:
        """Raises vault.Unreadable."""
        return vault.unseal(self.sealed_cookie_secret, self.place_of_cookie_secret())

    def place_of_cookie_secret(self) -> str:
        """What it is sealed to."""
        return f"outposts.cookie_secret:{self.client_id}"


class Outpost(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.TextField(unique=True)
    type = models.CharField(max_length=16, default="proxy")
    providers = models.ManyToManyField(Provider, related_name="outposts", blank=True)
    config = models.JSONField(default=dict, blank=True)
    managed = models.TextField(null=True, blank=True, unique=True, default=None)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"Outpost {self.name}"


class OutpostInstance(models.Model):
    """A process that serves an outpost elsewhere."""

    outpost = models.ForeignKey(Outpost, on_delete=models.CASCADE, related_name="instances")
    uid = models.CharField(max_length=64)
    """Made by the process when it starts."""
    version = models.CharField(max_length=64)
    hostname = models.CharField(max_length=255)
    last_seen = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["outpost", "uid"], name="one_row_per_outpost_process")]

    @property
    def is_alive(self) -> bool:
        """It has asked within the last half minute."""
        return (timezone.now() - self.last_seen).total_seconds() < 30


class StoredSession(models.Model):
    """A proxy session (``messages.sessions.ProxySession``). Tokens are encrypted at rest."""

    id_hash = models.CharField(max_length=64, primary_key=True)
    """Hex."""
    provider = models.ForeignKey(ProxyProvider, on_delete=models.CASCADE, related_name="stored_sessions")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="stored_sessions")
    login_session = models.ForeignKey(LoginSession, null=True, on_delete=models.SET_NULL, related_name="+")
    """Not CASCADE: an idle login that is swept away takes nothing with it; a login that ends says so (revocation)."""
    subject = models.CharField(max_length=255, db_index=True)
    sid = models.CharField(max_length=64, db_index=True)
    sealed = models.TextField()
    """Base64 of the encrypted MessagePack form of the whole ``ProxySession``."""
    created = models.DateTimeField()
    expires = models.DateTimeField(db_index=True)
    last_seen = models.DateTimeField(default=timezone.now, db_index=True)
    """When a request last passed with it; workers say so about once a minute."""


class UsedState(models.Model):
    """Login states that were redeemed: each once (S-310)."""

    state_id = models.CharField(max_length=64, primary_key=True)
    expires = models.DateTimeField(db_index=True)


class KeptUrl(models.Model):
    """Requested URLs too long to travel in a login state; at most 1000, for 15 minutes each."""

    key = models.CharField(max_length=64, primary_key=True)
    url = models.TextField()
    created = models.DateTimeField(auto_now_add=True, db_index=True)
