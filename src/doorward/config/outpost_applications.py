"""What an outpost on its own protects: each application, who may enter it, and what it is told about them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from doorward.config.outpost_issuers import Allow, Issuer, TrustedIssuer
from doorward.config.outpost_values import (
    SHORTEST_AGE,
    a_claim_field,
    a_domain,
    a_plain_path,
    a_server,
    an_acr_value,
    an_origin,
)
from doorward.config.section import Duration, Flag, Section, Text, WithCommas


class Upstream(Section):
    """A server of the application."""

    path: Annotated[Text, AfterValidator(a_plain_path)] = "/"
    """Requests to this path and below go there; the longest that fits decides."""
    url: Annotated[Text, AfterValidator(a_server)] | None = None
    urls: Annotated[tuple[Annotated[Text, AfterValidator(a_server)], ...], WithCommas] = ()
    """Several servers, by turn."""
    pass_host: Flag = True
    """Send the host that the browser asked for; otherwise the server's own."""
    strip_path: Flag = False
    """Take ``path`` away from the front of what the server gets."""
    ca_file: Text = ""
    insecure_skip_verify: Flag = False
    timeout: Duration = 0.0
    """Longest wait for the first byte of an answer; 0: any."""

    @model_validator(mode="after")
    def _has_a_server(self) -> Self:
        if bool(self.url) == bool(self.urls):
            raise ValueError("needs url, or urls for several servers")
        return self


class Headers(Section):
    """What the application is told about the person, in request fields that no client can set."""

    authentik: Flag = True
    """The ``X-authentik-*`` fields."""
    auth_request: Flag = False
    """``X-Auth-Request-User``, ``-Email``, ``-Groups`` and ``-Preferred-Username``, as oauth2-proxy has them."""
    forwarded_user: Flag = False
    """``X-Forwarded-User``, ``-Email``, ``-Groups`` and ``-Preferred-Username``, as oauth2-proxy has them."""
    access_token: Flag = False
    """The access token, in ``X-Forwarded-Access-Token`` (and ``X-Auth-Request-Access-Token``)."""
    authorization: Flag = False
    """``Authorization: Bearer`` with the ID token."""
    claims: dict[Annotated[str, AfterValidator(a_claim_field)], Text] = {}
    """More fields: name of the field, name of the claim."""


class StepUp(Section):
    """Some paths of the application, and what they ask of a login beyond the rest."""

    path: Text
    """A regular expression, searched in the decoded path (for a domain also in ``scheme://host/path``), in upper or
    lower case. A path that servers could read in more than one way is taken to fit."""
    factor: Literal["mfa", "phr"] | None = None
    """A second factor, or a phishing-resistant one: short for ``acrValues`` (and ``amr``) of issuers that say so."""
    acr_values: Annotated[tuple[Annotated[Text, AfterValidator(an_acr_value)], ...], WithCommas] = ()
    """What the issuer is asked for, and one of which the ID token must say in ``acr``."""
    amr: Annotated[tuple[Text, ...], WithCommas] = ()
    """One of these in ``amr`` of the ID token does as well."""
    max_age: Duration = 0.0
    """The login may not be older; a minute at least. The ID token must say ``auth_time``."""
    machines: Flag = False
    """Let programs pass that bring a good token; they never have a factor, and get nowhere here otherwise."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not (self.factor or self.acr_values or self.amr or self.max_age):
            raise ValueError("asks for nothing: needs factor, acrValues, amr or maxAge")
        if 0 < self.max_age < SHORTEST_AGE:
            raise ValueError("maxAge must be a minute at least: a login must have time to come back")
        return self


class Application(Section):
    """Something to protect."""

    name: Text = ""
    """For the pages that people see; the key by default."""
    external_url: Annotated[Text, AfterValidator(an_origin)]
    """As browsers know it: ``https://wiki.example.com``, with a path where it shares its host."""
    domain: Annotated[Text, AfterValidator(a_domain)] | None = None
    """Protect every host under this domain with one login, completed at ``externalUrl``."""
    upstreams: tuple[Upstream, ...] = ()
    """Its servers. Without them the outpost only answers other proxies."""
    allow: Allow
    headers: Headers = Headers()
    issuer: Issuer | None = None
    """Its own, instead of the one for all."""
    cookie_prefix: Literal["host", "secure"] | None = None
    """Let the name of the session cookie begin with ``__Host-`` (one host's own; not with ``domain``) or ``__Secure-``.
    Both need https. Whoever is logged in logs in again after a change."""
    callback_path: Annotated[Text, AfterValidator(a_plain_path)] | None = None
    """Where the issuer sends browsers back to; ``/outpost.goauthentik.io/callback`` by default."""
    skip_paths: tuple[Text, ...] = ()
    """Regular expressions: paths that everybody may open, without a word about anybody."""
    step_up: tuple[StepUp, ...] = ()
    """Paths that ask for a second factor, or for a recent login."""
    api_paths: tuple[Text, ...] = ()
    """Regular expressions: paths where strangers get a 401 and are not sent to log in."""
    skip_preflight: Flag = False
    """Let a browser's CORS preflight pass."""
    bearer_tokens: Flag = False
    """Let programs in that send a token of the issuer for this client in ``Authorization: Bearer``."""
    trusted_issuers: tuple[TrustedIssuer, ...] = ()
    """With ``bearerTokens``: others whose tokens count as well."""
    redirect_everything: Flag = False
    """Send scripts to log in as well, instead of a 401."""
    keep_forms: Flag = False
    """Keep a form that meets an ended session, and offer to send it after the login."""
