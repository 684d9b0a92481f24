"""The OpenID Connect providers of an outpost on its own: how each is reached, and what it says about whom."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from doorward.config.outpost_values import a_dial_address, a_domain, a_url
from doorward.config.section import Flag, Names, Section, Text, WithCommas


class Claims(Section):
    """Where the issuer says what. A dot leads into an object: ``realm_access.roles``."""

    username: Annotated[tuple[Text, ...], WithCommas] = ("preferred_username", "email", "sub")
    """The first that is there is the user name."""
    email: Text = "email"
    name: Text = "name"
    groups: Text = "groups"


class Reached(Section):
    """An issuer, and how it is reached."""

    url: Annotated[Text, AfterValidator(a_url)]
    """The issuer identifier, to the last character as it stands in ``iss``."""
    connect: Annotated[Text, AfterValidator(a_dial_address)] | None = None
    """``host:port`` to connect to instead of what the name of the URL means here. The name stays in TLS and Host."""
    ca_file: Text = ""
    """PEM file of the authorities that the issuer's certificate is believed from; the system's by default."""
    insecure_skip_verify: Flag = False
    """Believe any certificate. Whoever is between here and the issuer can then log in as anybody."""
    allow_http: Flag = False
    """Take an issuer without TLS that is not on this machine. The same danger."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.allow_http and not _is_here(parts.hostname or ""):
            raise ValueError("is reached without TLS: anybody on the way could log in as anybody (allowHttp: true)")
        return self


class Issuer(Reached):
    """An OpenID Connect provider, and this outpost as its client."""

    client_id: Text
    """As the issuer knows this outpost."""
    client_secret: Text = ""
    """What the issuer gave for it."""
    client_secret_file: Text = ""
    """A file that holds it; read at start."""
    client_authentication: Literal["auto", "post", "basic", "none"] = "auto"
    """How the secret is shown at the token endpoint. ``auto``: as the issuer's document says."""
    scopes: Names = ("openid", "profile", "email")
    """Add what gives you groups and refresh tokens at your issuer (``groups``, ``offline_access``)."""
    parameters: dict[str, Text] = {}
    """More parameters of the authorization request: ``prompt``, ``acr_values``, ``access_type`` …"""
    claims: Claims = Claims()
    userinfo: Literal["missing", "always", "never"] = "missing"
    """Ask the userinfo endpoint: always, never, or when the ID token lacks something that is wanted."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.client_secret and self.client_secret_file:
            raise ValueError("has clientSecret and clientSecretFile: one of them")
        if not (self.client_secret or self.client_secret_file) and self.client_authentication != "none":
            raise ValueError(
                "needs clientSecret or clientSecretFile (a client without one: clientAuthentication: none)"
            )
        if "openid" not in self.scopes:
            raise ValueError("needs openid among its scopes")
        return self


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Allow(Section):
    """Who may enter. What is given must all be fulfilled; of a list, one entry."""

    everybody: Flag = False
    """Everybody whom the issuer knows. With a public issuer that is the whole world."""
    groups: Names = ()
    emails: Names = ()
    emails_file: Text = ""
    """A file with one address a line."""
    email_domains: Annotated[tuple[Annotated[Text, AfterValidator(a_domain)], ...], WithCommas] = ()
    claims: dict[str, Names] = {}
    """By name of the claim, the values of which it must have one."""
    unverified_email: Flag = False
    """Let addresses count although the issuer does not say ``email_verified``. Right where only its administrators can
    write addresses."""

    @model_validator(mode="after")
    def _says_somebody(self) -> Self:
        rules = self.groups or self.emails or self.emails_file or self.email_domains or self.claims
        if self.everybody and rules:
            raise ValueError("lets everybody in and names some: one of the two")
        if not self.everybody and not rules:
            raise ValueError("lets nobody in: name groups, emails, emailDomains or claims, or say everybody: true")
        return self


class ClaimsOfPrograms(Claims):
    """Where the issuer says what about a program."""

    username: Annotated[tuple[Text, ...], WithCommas] = ("sub",)
    """The first that is there is the user name. Whoever may choose such a claim may choose a person's name."""


class TrustedIssuer(Reached):
    """Another issuer of which programs may show tokens: a CI system, a cluster, a second identity provider."""

    audiences: Annotated[tuple[Text, ...], WithCommas]
    """``aud`` of its tokens that are meant for this application: one of them. What a token for somebody else says is
    not believed."""
    allow: Allow
    """Who may enter with its tokens; the application's own rules are about people."""
    claims: ClaimsOfPrograms = ClaimsOfPrograms()

    @model_validator(mode="after")
    def _means_somebody(self) -> Self:
        if not self.audiences or not all(self.audiences):
            raise ValueError("needs audiences: what its tokens for this application have in aud")
        return self
