"""Which application is behind a URL.

The index is replaced whole when the configuration changes. An unknown host is never answered by "the only
provider" (S-219). What cannot be served safely is left out and said in the log, so that its host is refused.

An application that has its host to itself, or a part of its paths, keeps its own rules: a provider for the domain
above answers only where no such application could be meant, whatever port a client writes behind the name.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from doorward.messages.outposts import OutpostConfiguration, ProxyProvider
from doorward.outpost.application import Application
from doorward.outpost.hosts import DEFAULT_PORTS, PLAIN, parse_authority
from doorward.outpost.site import Site

log = logging.getLogger(__name__)

_MAX_REMEMBERED = 1024


class Applications:
    """All applications of the configuration in force, by host."""

    def __init__(self, configuration: OutpostConfiguration, before: Applications | None = None) -> None:
        """``before``: applications that did not change are taken over, with what they have remembered."""
        self._single: dict[str, dict[int, list[Application]]] = {}
        """Applications with a host or path of their own, by name and port."""
        self._domains: dict[str, list[Application]] = {}
        self._unserved: set[str] = set()
        """Names that belong to a provider which is left out: no domain answers for them."""
        self._remembered: dict[tuple[str, str], Site | Application | None] = {}
        self.by_pk: dict[int, Application] = {}
        for provider in sorted(configuration.providers, key=lambda provider: provider.pk):
            self._add(provider, configuration.version, before)
        self.callback_paths = frozenset(each.callback_path.encode() for each in self.by_pk.values())
        """Paths outside our prefix that are ours all the same; the empty one, of most applications, is no path."""

    @property
    def hosts(self) -> list[str]:
        """The external hosts and domains that are known, for the log."""
        known = [application.provider.external_host for application in self.by_pk.values()]
        return sorted(known + [f"*.{domain}" for domain in self._domains])

    def find(self, host: str, scheme: str, path: str = "/") -> Application | None:
        """The application of ``host`` (as some header says it) and ``path`` (still percent-encoded), or None.

        A port that was written must be the application's, except that the schemes' default ports count as not
        written. Without a port the scheme's default is tried, and then the one application of that name: proxies
        that hand on ``$host`` drop the port of an application on, say, 8443. Raises AmbiguousPath.
        """
        try:
            found = self._remembered[host, scheme]
        except KeyError:
            found = self._on(host, scheme)
        return found.at(path) if isinstance(found, Site) else found

    def knows(self, host: str, scheme: str) -> bool:
        """Whether any path of ``host`` is an application's."""
        return self._on(host, scheme) is not None

    def is_one(self, host: str, scheme: str) -> bool:
        """Whether all paths of ``host`` are one application's."""
        return isinstance(self._on(host, PLAIN.get(scheme, scheme)), Application)

    def sharing(self, application: Application) -> list[Application]:
        """All applications whose logins are completed on the same host as this one's."""
        return [other for other in self.by_pk.values() if other.origin == application.origin]

    def _on(self, host: str, scheme: str) -> Site | Application | None:
        key = (host, scheme)
        try:
            return self._remembered[key]
        except KeyError:
            found = self._look_up(host, scheme)
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = found
            return found

    def _look_up(self, host: str, scheme: str) -> Site | Application | None:
        place = parse_authority(host)
        if place is None:
            return None
        ports = self._single.get(place.name, {})
        port = place.port or DEFAULT_PORTS.get(scheme, 443)
        if port not in ports and len(ports) == 1 and place.port in (None, *DEFAULT_PORTS.values()):
            [port] = ports
        own = ports.get(port, [])
        domain = None if place.name in self._unserved else self._domain_above(place.name)
        if domain is None and len(own) < 2:
            return own[0] if own else None
        if domain is not None and not ports:
            return domain
        others = [application for at, there in ports.items() if at != port for application in there]
        return Site(own, others, domain)

    def _domain_above(self, name: str) -> Application | None:
        """The application of the longest cookie domain that ``name`` is under; of several the one whose external
        host is nearest to ``name``, and of equally near ones the oldest."""
        labels = name.split(".")
        for at in range(len(labels)):
            candidates = self._domains.get(".".join(labels[at:]))
            if candidates:
                return max(candidates, key=lambda each: _common_labels(each.name, name))
        return None

    def _add(self, provider: ProxyProvider, version: str, before: Applications | None) -> None:
        known = before.by_pk.get(provider.pk) if before is not None else None
        if known is not None and known.provider == provider and known.version == version:
            application = known
        else:
            try:
                application = Application(provider, version)
            except ValueError as error:
                self._leave_out(provider, str(error))
                return
        if application.domain:
            there = self._domains.get(application.domain, [])
            holder = next((other for other in there if other.origin == application.origin), None)
        else:
            there = self._single.get(application.name, {}).get(application.port, [])
            holder = next((other for other in there if other.path.lower() == application.path.lower()), None)
        if holder is not None:
            taken = application.home if application.path else application.origin
            log.error(
                "proxy provider %r is not served: %r already has the external host %s",
                provider.name,
                holder.provider.name,
                taken,
            )
            return
        self.by_pk[provider.pk] = application
        if application.domain:
            self._domains.setdefault(application.domain, []).append(application)
        else:
            self._single.setdefault(application.name, {}).setdefault(application.port, []).append(application)

    def _leave_out(self, provider: ProxyProvider, why: str) -> None:
        log.error("proxy provider %r is not served: %s", provider.name, why)
        if provider.mode == "forward_domain":
            return
        try:
            place = parse_authority(urlsplit(provider.external_host).netloc)
        except ValueError:
            return
        if place is not None:
            self._unserved.add(place.name)


def _common_labels(one: str, other: str) -> int:
    count = 0
    for mine, theirs in zip(reversed(one.split(".")), reversed(other.split(".")), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
