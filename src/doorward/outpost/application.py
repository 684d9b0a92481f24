"""One protected application, or one protected domain, with everything about it that can be worked out beforehand.

Forward auth for a single application knows one origin, the external host's. Forward auth for a domain knows the
external host, where logins are completed, and lets browsers return to every host under the cookie domain; under
means by whole labels: ``notexample.test`` is not under ``example.test`` (S-308).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from doorward.config.skip_rules import SkipRules, reads_differently
from doorward.config.step_up_rules import StepUpRules
from doorward.messages.http import Header
from doorward.messages.outposts import ProxyProvider
from doorward.outpost.hosts import DEFAULT_PORTS, Place, is_name, is_under, origin_of, parse_authority
from doorward.outpost.paths import CALLBACK_SIGNATURE, PREFIX
from doorward.outpost.sessions.cookie import CookieJar

_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()*+,=:@-]*[A-Za-z0-9_~!$&'()*+,=:@-])*")
KEEPS_FORMS_FOR = 86400
"""Seconds after its session's end in which somebody's form is kept, where forms are."""
_MODES = ("proxy", "forward_single", "forward_domain")


class Application:
    """One proxy provider with what it protects."""

    def __init__(self, provider: ProxyProvider, version: str) -> None:
        """Raises ValueError when the provider cannot be served."""
        if provider.mode not in _MODES:
            raise ValueError(f"mode {provider.mode!r} is not served by this outpost")
        if len(provider.cookie_secret) < 16:
            raise ValueError("its cookie secret is shorter than 16 characters")
        parts = urlsplit(provider.external_host)
        place = parse_authority(parts.netloc)
        if parts.scheme not in DEFAULT_PORTS or place is None:
            raise ValueError(f"external host {provider.external_host!r} is not an http or https URL")
        self.provider = provider
        self.version = version
        self.scheme = parts.scheme
        self.name = place.name
        self.path = parts.path.rstrip("/")
        """The part of the host's paths that is the application's, where it shares the host; empty for all of them."""
        if _PATH.fullmatch(self.path) is None:
            raise ValueError(f"the path {self.path!r} of its external host could be read in more than one way")
        self.port = place.port or DEFAULT_PORTS[parts.scheme]
        self.has_default_port = self.port == DEFAULT_PORTS[parts.scheme]
        self.origin = origin_of(place, parts.scheme)
        self.home = self.origin + (self.path or "/")
        self.domain = _domain(provider, place.name)
        """The cookie domain, when a whole domain is protected; empty for a single application."""
        foreign = provider.foreign
        self.redirect_uri = f"{self.endpoint('callback')}?{CALLBACK_SIGNATURE}=true"
        self.callback_path = ""
        """Where the issuer sends browsers back to, when that is not one of our own endpoints."""
        if foreign is not None and foreign.redirect_uri:
            self.redirect_uri = foreign.redirect_uri
            self.callback_path = urlsplit(foreign.redirect_uri).path
        older = foreign.older_cookie_secrets if foreign is not None else ()
        own = foreign.cookie_id if foreign is not None and foreign.cookie_id else provider.client_id
        secure, prefix = parts.scheme == "https", provider.cookie_prefix
        # A form that comes after a session's time is kept for whoever had it: their browser must say so.
        outlives = KEEPS_FORMS_FOR if provider.keep_posts else 0
        self.cookies = CookieJar(own, provider.cookie_secret, secure, self.domain, older, prefix, outlives)
        self.common_fields: dict[tuple[str, str], Header] = {}
        """Identity fields that its sessions share (``identity_headers``)."""
        self.rules = SkipRules(provider.skip_path_regex, provider.name)
        self.steps = StepUpRules(provider.step_up, provider.name) if provider.step_up else None
        """What some of its paths ask of a login beyond the rest; None: nothing anywhere."""
        self.api_rules = SkipRules(foreign.api_paths if foreign is not None else "", provider.name)

    def could_be_misled(self, path: str) -> bool:
        """Whether protection depends on the path, and ``path`` is one that servers read differently."""
        return self.rules.could_be_misled(path) or (self.steps is not None and reads_differently(path))

    def endpoint(self, name: str) -> str:
        """URL of one of our own endpoints on the application's host."""
        return f"{self.home.rstrip('/')}{PREFIX}/{name}"

    def without_prefix(self, path: str) -> str:
        """``path`` without the application's own prefix, for finding our endpoints in it."""
        return path[len(self.path) :] if self.path and path.startswith(f"{self.path}/") else path

    def url(self, target: str) -> str:
        """Where the browser goes for ``target``, as ``own_target`` gives it; the external host for an empty one.

        For a single application always on the configured origin: neither a wrong scheme nor a foreign host or port
        can come in by what some proxy says about a request.
        """
        if not target:
            return self.home
        return self.origin + target if target.startswith("/") else target

    def origin_at(self, place: Place | None, scheme: str) -> str:
        """The origin on which a browser is that asked for ``place`` by ``scheme`` (http or https).

        In a domain with Secure cookies that is an https one whatever was said: on another the session would not count.
        """
        if not self.domain or place is None:
            return self.origin
        if place.port == DEFAULT_PORTS[scheme]:
            place = Place(place.name, None)
        return origin_of(place, "https" if self.scheme == "https" else scheme)

    def covers(self, place: Place, scheme: str) -> bool:
        """Whether a browser may be sent to ``place`` by ``scheme`` for this application."""
        if self.domain:
            return is_under(place.name, self.domain)
        default = DEFAULT_PORTS[scheme]
        port = place.port or default
        return place.name == self.name and (port == self.port or (port == default and self.has_default_port))


def _domain(provider: ProxyProvider, name: str) -> str:
    if provider.mode != "forward_domain":
        return ""
    domain = provider.cookie_domain.strip().lower().removeprefix(".").removesuffix(".")
    if not is_name(domain) or "." not in domain:
        # A browser keeps no cookie for an address or a whole top-level domain: every login would go in circles.
        raise ValueError(f"cookie domain {provider.cookie_domain!r} is not a domain that browsers keep cookies for")
    if not is_under(name, domain):
        raise ValueError(f"its external host is not under the cookie domain {domain!r}")
    return domain
