"""Which application is behind a host name, with everything about it that can be worked out beforehand.

The index is replaced whole when the configuration changes. An unknown host is never answered by "the only
provider" (S-219). What cannot be served safely is left out and said in the log, so that its host is refused.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from doorward.messages.outposts import OutpostConfiguration, ProxyProvider
from doorward.outpost.hosts import DEFAULT_PORTS, parse_authority
from doorward.outpost.paths import CALLBACK_SIGNATURE, PREFIX
from doorward.outpost.sessions.cookie import CookieJar
from doorward.outpost.skip_rules import SkipRules

log = logging.getLogger(__name__)

_MAX_REMEMBERED = 1024


class Application:
    """One proxy provider with the application that it protects."""

    def __init__(self, provider: ProxyProvider, version: str) -> None:
        """Raises ValueError when the provider cannot be served."""
        if provider.mode != "forward_single":
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
        self.port = place.port or DEFAULT_PORTS[parts.scheme]
        self.has_default_port = self.port == DEFAULT_PORTS[parts.scheme]
        self.origin = f"{parts.scheme}://{place.name}" + ("" if self.has_default_port else f":{self.port}")
        self.home = self.origin + (parts.path.rstrip("/") or "/")
        self.redirect_uri = f"{self.endpoint('callback')}?{CALLBACK_SIGNATURE}=true"
        self.cookies = CookieJar(provider.client_id, provider.cookie_secret, parts.scheme == "https")
        self.rules = SkipRules(provider.skip_path_regex, provider.name)

    def endpoint(self, name: str) -> str:
        """URL of one of our own endpoints on the application's host."""
        return f"{self.home.rstrip('/')}{PREFIX}/{name}"

    def url(self, target: str) -> str:
        """Where the browser goes for ``target`` (path and query); the external host for an empty one.

        Always on the configured origin: neither a wrong scheme nor a foreign host or port can come in by what
        some proxy says about a request.
        """
        return self.origin + target if target else self.home


class Applications:
    """All applications of the configuration in force, by host."""

    def __init__(self, configuration: OutpostConfiguration, before: Applications | None = None) -> None:
        """``before``: applications that did not change are taken over, with what they have remembered."""
        self._by_origin: dict[tuple[str, int], Application] = {}
        self._by_name: dict[str, list[Application]] = {}
        self._remembered: dict[tuple[str, str], Application | None] = {}
        self.by_pk: dict[int, Application] = {}
        for provider in sorted(configuration.providers, key=lambda provider: provider.pk):
            self._add(provider, configuration.version, before)

    @property
    def hosts(self) -> list[str]:
        """The external hosts that are known, for the log."""
        return sorted(application.provider.external_host for application in self.by_pk.values())

    def find(self, host: str, scheme: str) -> Application | None:
        """The application of ``host`` (as some header says it), or None.

        A port that was written must be the application's, except that the schemes' default ports count as not
        written. Without a port the scheme's default is tried, and then the one application of that name: proxies
        that hand on ``$host`` drop the port of an application on, say, 8443.
        """
        key = (host, scheme)
        try:
            return self._remembered[key]
        except KeyError:
            found = self._look_up(host, scheme)
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = found
            return found

    def _look_up(self, host: str, scheme: str) -> Application | None:
        place = parse_authority(host)
        if place is None:
            return None
        exact = self._by_origin.get((place.name, place.port or DEFAULT_PORTS.get(scheme, 443)))
        if exact is not None:
            return exact
        same_name = self._by_name.get(place.name, [])
        if len(same_name) == 1 and place.port in (None, *DEFAULT_PORTS.values()):
            return same_name[0]
        return None

    def _add(self, provider: ProxyProvider, version: str, before: Applications | None) -> None:
        known = before.by_pk.get(provider.pk) if before is not None else None
        if known is not None and known.provider == provider and known.version == version:
            application = known
        else:
            try:
                application = Application(provider, version)
            except ValueError as error:
                log.error("proxy provider %r is not served: %s", provider.name, error)
                return
        holder = self._by_origin.get((application.name, application.port))
        if holder is not None:
            log.error(
                "proxy provider %r is not served: %r already has the external host %s",
                provider.name,
                holder.provider.name,
                application.origin,
            )
            return
        self.by_pk[provider.pk] = application
        self._by_origin[application.name, application.port] = application
        self._by_name.setdefault(application.name, []).append(application)
