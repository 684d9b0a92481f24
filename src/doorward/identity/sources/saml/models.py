"""A SAML identity provider whose people log in here, and what has to be remembered of its messages.

answer ──► Seen (its ids, until they are worth nothing any more)
       └─► Handed (what it says, until the browser comes for it) ──► login ──► VouchedLogin (until it ends)
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.flows.models import Flow
from doorward.identity.logins.models import LoginSession
from doorward.identity.sources.models import Source

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_NAME_IDS = "urn:oasis:names:tc:SAML:"


class SAMLSource(Source):
    """Names and defaults are authentik's (``contracts/identity.md`` section 14)."""

    KIND = "saml"

    class Binding(models.TextChoices):
        """How a request gets there."""

        REDIRECT = "REDIRECT"
        POST = "POST"
        POST_AUTO = "POST_AUTO"

    class NameIdPolicy(models.TextChoices):
        """What people are to be called. Transient names, new with every login, recognise nobody."""

        EMAIL = f"{_NAME_IDS}1.1:nameid-format:emailAddress", "E-mail address"
        PERSISTENT = f"{_NAME_IDS}2.0:nameid-format:persistent", "Persistent"
        X509 = f"{_NAME_IDS}1.1:nameid-format:X509SubjectName", "X509"
        WINDOWS = f"{_NAME_IDS}2.0:nameid-format:WindowsDomainQualifiedName", "Windows"
        UNSPECIFIED = f"{_NAME_IDS}1.1:nameid-format:unspecified", "Unspecified"

    class Digest(models.TextChoices):
        SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256", "SHA256"
        SHA384 = f"{_MORE}sha384", "SHA384"
        SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512", "SHA512"

    class Algorithm(models.TextChoices):
        """Those of ``signature.METHODS``."""

        RSA_SHA256 = f"{_MORE}rsa-sha256", "RSA-SHA256"
        RSA_SHA384 = f"{_MORE}rsa-sha384", "RSA-SHA384"
        RSA_SHA512 = f"{_MORE}rsa-sha512", "RSA-SHA512"
        ECDSA_SHA256 = f"{_MORE}ecdsa-sha256", "ECDSA-SHA256"
        ECDSA_SHA384 = f"{_MORE}ecdsa-sha384", "ECDSA-SHA384"
        ECDSA_SHA512 = f"{_MORE}ecdsa-sha512", "ECDSA-SHA512"

    pre_authentication_flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="+")
    """What a visitor goes through before they are sent away."""
    issuer_override = models.TextField(blank=True, default="")
    """Our own entity id; empty: the URL of our metadata."""
    sso_url = models.TextField()
    slo_url = models.TextField(blank=True, default="")
    """Empty: the identity provider is not told when somebody logs out here."""
    allow_idp_initiated = models.BooleanField(default=False)
    """Believe answers to no question of ours; anybody can then be logged in as somebody else without noticing."""
    force_authn = models.BooleanField(default=False)
    name_id_policy = models.CharField(
        max_length=80, choices=NameIdPolicy.choices, default=NameIdPolicy.PERSISTENT, blank=True
    )
    """Empty: it decides."""
    binding_type = models.CharField(max_length=16, choices=Binding.choices, default=Binding.REDIRECT)
    verification_kp = models.ForeignKey(CertificateKeyPair, on_delete=models.PROTECT, related_name="+")
    """What its signatures are checked with; several certificates in one text while it changes its key."""
    signing_kp = models.ForeignKey(
        CertificateKeyPair, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """What our requests are signed with; None: they are not."""
    encryption_kp = models.ForeignKey(
        CertificateKeyPair, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """What opens assertions that are encrypted for us."""
    digest_algorithm = models.CharField(max_length=80, choices=Digest.choices, default=Digest.SHA256)
    signature_algorithm = models.CharField(max_length=80, choices=Algorithm.choices, default=Algorithm.RSA_SHA256)
    signed_assertion = models.BooleanField(default=True)
    signed_response = models.BooleanField(default=False)
    """With neither, one of the two has to be signed all the same."""
    provider_entity_id = models.TextField(blank=True, default="")
    """Who has to say it: what matters where one key signs for several. Empty: whoever has the key."""
    emails_are_verified = models.BooleanField(default=False)
    """It has proven that the addresses are theirs; only then does an address open an account that is here already."""

    def url(self, page: str) -> str:
        """Of one of its pages: ``acs``, ``slo``, ``metadata``."""
        return f"{settings.EXTERNAL_URL}/source/saml/{self.slug}/{page}/"

    @property
    def entity_id(self) -> str:
        return self.issuer_override or self.url("metadata")


class Seen(models.Model):
    """An assertion, or a request to log out, that was here already: none counts twice, on no replica (S-455)."""

    source = models.ForeignKey(SAMLSource, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    """SHA-256 of its identifier, which may be long."""
    until = models.DateTimeField(db_index=True)
    """When it is too old to be believed anyway."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "digest"], name="a_message_counts_once")]

    def __str__(self) -> str:
        return self.digest


class Handed(models.Model):
    """What a believed answer says, between the form that brought it and the page that has the browser's cookie."""

    digest = models.CharField(max_length=64, primary_key=True)
    """SHA-256 of the handle that the browser was given."""
    source = models.ForeignKey(SAMLSource, on_delete=models.CASCADE, related_name="+")
    sealed_answer = models.TextField()
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest

    def place(self) -> str:
        """What the answer is sealed to."""
        return f"sources_saml.handed.sealed_answer:{self.digest}"


class VouchedLogin(models.Model):
    """A login here that came from there, by the names that the identity provider has for it. Goes with the login."""

    login = models.OneToOneField(
        LoginSession, on_delete=models.CASCADE, related_name="+", primary_key=True, db_constraint=False
    )
    """Not a constraint of the database: while a program of the version before runs beside this one, it ends logins
    without knowing of this table."""
    source = models.ForeignKey(SAMLSource, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, db_index=True)
    """SHA-256 of the NameID."""
    name_id = models.TextField()
    name_id_format = models.TextField(blank=True, default="")
    session_index = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"{self.source}: {self.digest[:8]}"
