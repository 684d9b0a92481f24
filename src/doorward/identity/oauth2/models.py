"""OAuth2 and OpenID Connect: clients, and what was issued to them."""

from __future__ import annotations

import secrets
import uuid

from django.db import models

from doorward.identity.applications.models import Provider
from doorward.identity.crypto import vault
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.directory.models import Group, User, new_key
from doorward.identity.flows.models import Flow
from doorward.identity.logins.models import LoginSession

DEFAULT_GRANTS = ("authorization_code", "refresh_token", "client_credentials")
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - the grant's public name


def new_client_id() -> str:
    return new_key(40)


def default_grants() -> list[str]:
    return list(DEFAULT_GRANTS)


class ScopeMapping(models.Model):
    """A scope a client may ask for, and the claims it yields. ``claims`` names one of the built-in sets
    (``contracts/identity.md`` section 2.5); expressions in a restricted language come with policies."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    managed = models.TextField(null=True, unique=True, default=None)
    name = models.TextField(unique=True)
    scope_name = models.TextField()
    description = models.TextField(blank=True, default="")
    """What the consent page says; empty hides the scope there."""
    expression = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["scope_name", "name"]

    def __str__(self) -> str:
        return self.name


class OAuth2Provider(Provider):
    """``contracts/identity.md`` section 4.3. ``client_secret`` is encrypted at rest, bound to the client id."""

    KIND = "oauth2"

    class ClientType(models.TextChoices):
        CONFIDENTIAL = "confidential"
        PUBLIC = "public"

    class SubMode(models.TextChoices):
        HASHED_USER_ID = "hashed_user_id"
        USER_ID = "user_id"
        USER_UUID = "user_uuid"
        USER_USERNAME = "user_username"
        USER_EMAIL = "user_email"
        USER_UPN = "user_upn"

    class IssuerMode(models.TextChoices):
        PER_PROVIDER = "per_provider"
        GLOBAL = "global"

    class Authentication(models.TextChoices):
        """How a confidential client proves at the token endpoint who it is (RFC 6749 section 2.3, RFC 7523)."""

        CLIENT_SECRET = "client_secret"  # noqa: S105 - Basic or in the body, as it likes
        CLIENT_SECRET_BASIC = "client_secret_basic"  # noqa: S105
        CLIENT_SECRET_POST = "client_secret_post"  # noqa: S105
        PRIVATE_KEY_JWT = "private_key_jwt"

    class LogoutMethod(models.TextChoices):
        BACKCHANNEL = "backchannel"
        FRONTCHANNEL = "frontchannel"

    client_type = models.CharField(max_length=16, choices=ClientType.choices, default=ClientType.CONFIDENTIAL)
    client_id = models.CharField(max_length=255, unique=True, default=new_client_id)
    sealed_client_secret = models.TextField(blank=True, default="")
    redirect_uris = models.JSONField(default=list, blank=True)
    """List of ``{"matching_mode": strict|regex, "url": …, "redirect_uri_type": authorization|logout}``."""
    access_code_validity = models.TextField(default="minutes=1")
    access_token_validity = models.TextField(default="hours=1")
    refresh_token_validity = models.TextField(default="days=30")
    include_claims_in_id_token = models.BooleanField(default=True)
    require_pkce = models.BooleanField(default=True)
    signing_key = models.ForeignKey(
        CertificateKeyPair, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    encryption_key = models.ForeignKey(
        CertificateKeyPair, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """RSA: ID and access tokens are encrypted for whoever has its private key. None: they are signed only."""
    refresh_token_threshold = models.TextField(default="seconds=0", db_default="seconds=0")
    """A refresh token that lives longer than this still is given back as it is; zero renews it at every use."""
    client_authentication = models.CharField(
        max_length=24,
        choices=Authentication.choices,
        default=Authentication.CLIENT_SECRET,
        db_default=Authentication.CLIENT_SECRET.value,
    )
    client_jwks = models.JSONField(null=True, blank=True, default=None)
    """The client's public keys (RFC 7517), for ``private_key_jwt``."""
    client_jwks_uri = models.TextField(blank=True, default="", db_default="")
    """Where the client publishes them instead."""
    client_jwks_uri_trusted = models.BooleanField(default=False, db_default=False)
    """A superuser wrote ``client_jwks_uri``: it may lead into this network (S-650)."""
    require_pushed_requests = models.BooleanField(default=False, db_default=False)
    """Authorization requests come through the client's own connection (RFC 9126), never in a URL."""
    typed_access_tokens = models.BooleanField(default=False, db_default=False)
    """Access tokens say of themselves that they are such (``typ: at+jwt``, RFC 9068)."""
    step_up_flow = models.ForeignKey(Flow, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    """Where somebody who is logged in shows a second factor when the client asks for one (``acr_values``); None: they
    log in again."""
    sub_mode = models.CharField(max_length=32, choices=SubMode.choices, default=SubMode.HASHED_USER_ID)
    issuer_mode = models.CharField(max_length=16, choices=IssuerMode.choices, default=IssuerMode.PER_PROVIDER)
    scope_mappings = models.ManyToManyField(ScopeMapping, related_name="providers", blank=True)
    grant_types = models.JSONField(
        default=default_grants, db_default=models.Value(list(DEFAULT_GRANTS), models.JSONField())
    )
    """What the client may ask the token endpoint with. Device codes and token exchange only where they are named."""
    logout_uri = models.TextField(blank=True, default="", db_default="")
    """Where the client is told that a login has ended; empty for one that is not told."""
    logout_method = models.CharField(
        max_length=16,
        choices=LogoutMethod.choices,
        default=LogoutMethod.BACKCHANNEL,
        db_default=LogoutMethod.BACKCHANNEL.value,
    )
    logout_uri_trusted = models.BooleanField(default=False, db_default=False)
    """A superuser wrote ``logout_uri``: it may lead into this network (S-650)."""
    exchange_from = models.ManyToManyField("self", symmetrical=False, related_name="+", blank=True)
    """Clients whose access tokens this one may exchange for its own (``jwt_federation_providers``)."""
    jwt_federation_sources = models.ManyToManyField("sources.OAuthSource", related_name="federated", blank=True)
    """Sources whose issuers say who a program is (``federation``)."""

    def save(self, *args: object, **kwargs: object) -> None:
        if not self.sealed_client_secret:
            self.client_secret = new_key(128)
        super().save(*args, **kwargs)

    @property
    def domain(self) -> str:
        """All hosts under it belong to this client; empty for a client that has only its redirect URIs."""
        return ""

    @property
    def client_secret(self) -> str:
        """Raises vault.Unreadable."""
        return vault.unseal(self.sealed_client_secret, self.place_of_client_secret())

    @client_secret.setter
    def client_secret(self, secret: str) -> None:
        self.sealed_client_secret = vault.seal(secret, self.place_of_client_secret())

    def place_of_client_secret(self) -> str:
        """What it is sealed to."""
        return f"oauth2.client_secret:{self.client_id}"


class RetiringKey(models.Model):
    """The signing key that a provider had before: still published, so that tokens it signed stay verifiable, and
    still signing for a moment, so that nobody meets the new one before it was published (S-446)."""

    provider = models.ForeignKey(OAuth2Provider, on_delete=models.CASCADE, related_name="retiring_keys")
    key = models.ForeignKey(CertificateKeyPair, on_delete=models.CASCADE, related_name="+")
    signs_until = models.DateTimeField()
    published_until = models.DateTimeField()

    class Meta:
        ordering = ["-published_until"]


def new_family() -> str:
    return secrets.token_hex(16)


class AuthorizationCode(models.Model):
    """Kept by its SHA-256. ``used_at`` is set by one conditional UPDATE: the single redemption (S-411, S-412)."""

    code_hash = models.CharField(max_length=64, primary_key=True)
    provider = models.ForeignKey(OAuth2Provider, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    login_session = models.ForeignKey(LoginSession, null=True, on_delete=models.CASCADE, related_name="+")
    sid = models.CharField(max_length=64)
    redirect_uri = models.TextField()
    scope = models.TextField()
    nonce = models.TextField(blank=True, default="")
    code_challenge = models.TextField(blank=True, default="")
    auth_time = models.DateTimeField()
    amr = models.JSONField(default=list)
    family = models.CharField(max_length=32, default=new_family)
    """Of the tokens that it is redeemed for: a second redemption revokes them (RFC 6749 section 4.1.2)."""
    acr = models.TextField(blank=True, default="", db_default="")
    """How sure we are of the user, in the client's words; empty: as sure as of everybody."""
    claims = models.JSONField(null=True, default=None)
    """Claims that the client asked for by name (``claims_request``)."""
    expires = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)


class IssuedToken(models.Model):
    """An access or refresh token that we must be able to revoke, introspect or rotate; kept by its SHA-256."""

    class Kind(models.TextChoices):
        ACCESS = "access"
        REFRESH = "refresh"

    token_hash = models.CharField(max_length=64, primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    family = models.CharField(max_length=32, default=new_family, db_index=True)
    """All tokens that descend from one authorization: reuse of an old one revokes them all (RFC 9700 4.14)."""
    provider = models.ForeignKey(OAuth2Provider, on_delete=models.CASCADE, related_name="issued_tokens")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="issued_tokens")
    login_session = models.ForeignKey(LoginSession, null=True, on_delete=models.SET_NULL, related_name="+")
    sid = models.CharField(max_length=64, db_index=True)
    scope = models.TextField()
    auth_time = models.DateTimeField()
    nonce = models.TextField(blank=True, default="")
    amr = models.JSONField(default=list)
    issued = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(db_index=True)
    revoked = models.BooleanField(default=False)
    act = models.JSONField(null=True, default=None)
    """Who acts for the user with it, of an exchanged token (RFC 8693 section 4.1)."""
    acr = models.TextField(blank=True, default="", db_default="")
    claims = models.JSONField(null=True, default=None)
    """As of the code that it came from."""
    signed_by = models.CharField(max_length=32, blank=True, default="", db_default="")
    """``kid`` of the key under it, where the token itself is encrypted and does not say."""
    vouched_by = models.ForeignKey("sources.OAuthSource", null=True, on_delete=models.CASCADE, related_name="+")
    """Whose issuer said who the program is that has it; the token lives as long as that one is believed."""


class PushedRequest(models.Model):
    """An authorization request that came from the client itself (RFC 9126). Its reference is kept by its SHA-256.

    ``opened_at`` and ``answered_at`` are each set by one conditional UPDATE: one browser, one answer.
    """

    reference_hash = models.CharField(max_length=64, primary_key=True)
    provider = models.ForeignKey(OAuth2Provider, on_delete=models.CASCADE, related_name="+")
    parameters = models.JSONField()
    expires = models.DateTimeField(db_index=True)
    opened_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)


class UsedAssertion(models.Model):
    """A client's assertion, which works once (RFC 7523 section 3): SHA-256 of client and ``jti``, until it expires."""

    assertion_hash = models.CharField(max_length=64, primary_key=True)
    expires = models.DateTimeField(db_index=True)


class DeviceCode(models.Model):
    """One device that waits to be let in (RFC 8628). Its code is kept by its SHA-256; the user code is what people
    type. ``decided_at`` and ``used_at`` are each set by one conditional UPDATE."""

    device_hash = models.CharField(max_length=64, primary_key=True)
    user_code = models.CharField(max_length=16, unique=True)
    provider = models.ForeignKey(OAuth2Provider, on_delete=models.CASCADE, related_name="+")
    scope = models.TextField()
    asked_from = models.GenericIPAddressField(null=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(db_index=True)
    interval = models.PositiveSmallIntegerField()
    """Seconds that the device must wait between two questions; grows when it does not."""
    polled_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    allowed = models.BooleanField(default=False)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    login_session = models.ForeignKey(LoginSession, null=True, on_delete=models.CASCADE, related_name="+")
    sid = models.CharField(max_length=64, blank=True, default="")
    auth_time = models.DateTimeField(null=True)
    amr = models.JSONField(default=list)
    family = models.CharField(max_length=32, default=new_family)
    used_at = models.DateTimeField(null=True)


class ClientLogin(models.Model):
    """A client that wants to hear of logouts was told about a login: it is told when that ends."""

    provider = models.ForeignKey(OAuth2Provider, on_delete=models.CASCADE, related_name="+")
    sid = models.CharField(max_length=64, db_index=True)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "sid"], name="one_row_per_client_and_login")]


class LogoutNotice(models.Model):
    """A logout token that is still to be delivered (OpenID Connect Back-Channel Logout 1.0)."""

    provider = models.ForeignKey(OAuth2Provider, on_delete=models.CASCADE, related_name="logout_notices")
    sid = models.CharField(max_length=64)
    sub = models.TextField()
    username = models.TextField()
    """For the event about it; the user may be gone by then."""
    since = models.DateTimeField(auto_now_add=True)
    due = models.DateTimeField(db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    trouble = models.TextField(blank=True, default="")
    """What went wrong the last time."""

    class Meta:
        ordering = ["since", "pk"]


class RegistrationToken(models.Model):
    """With it programs register themselves as clients (RFC 7591 calls it an initial access token), within what an
    administrator has laid down here. Kept by its SHA-256."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    token_hash = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
    uses_left = models.PositiveIntegerField()
    hosts = models.JSONField(default=list)
    """Host names that redirect URIs may have; ``.example.com`` stands for all below it."""
    public_clients = models.BooleanField(default=False)
    """Programs without a secret may register as well."""
    authorization_flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="+")
    invalidation_flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="+")
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    """Who may enter what is registered; None: everybody."""
    scope_mappings = models.ManyToManyField(ScopeMapping, related_name="+", blank=True)
    """What a registered client may ask for at most."""

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RegisteredClient(models.Model):
    """A client that registered itself, and the SHA-256 of the token with which it manages that (RFC 7592)."""

    provider = models.OneToOneField(OAuth2Provider, on_delete=models.CASCADE, related_name="registered")
    by = models.ForeignKey(RegistrationToken, null=True, on_delete=models.SET_NULL, related_name="registered")
    access_hash = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(auto_now_add=True)
