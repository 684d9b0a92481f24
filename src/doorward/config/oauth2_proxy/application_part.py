"""The application: where it is, what stands behind it, and which of its paths are different."""

from __future__ import annotations

import re
from copy import deepcopy
from urllib.parse import urlsplit

from doorward.config.document import Plain
from doorward.config.oauth2_proxy.allow_part import AllowPart
from doorward.config.oauth2_proxy.headers_part import HeadersPart
from doorward.config.oauth2_proxy.notes import Note, Part
from doorward.config.oauth2_proxy.written import Upstream


class ApplicationPart(Part):
    """The one application of the result."""

    def translated(self) -> dict[str, Plain]:
        written = self.written
        parts = (written, self.made, self.name, self.external_url, self.is_usable)
        redirect = urlsplit(written.text("redirect_url"))
        origin = f"{redirect.scheme}://{redirect.netloc}" if redirect.netloc else ""
        if not origin and not self.external_url:
            self.made.open.append(
                "there is no redirect_url: which URL do browsers know the application by? (--external-url)"
            )
        external = self.external_url or origin or "https://CHANGE.ME"
        prefix = "/" + written.text("proxy_prefix", "/oauth2").strip("/")
        application: dict[str, Plain] = {"externalUrl": external}
        self._domain(application, external)
        application["upstreams"] = self._upstreams()
        if not application["upstreams"]:
            del application["upstreams"]
            self._note_other_proxies(prefix)
        application["callbackPath"] = redirect.path or f"{prefix}/callback"
        application["allow"] = AllowPart(*parts).translated()
        application["headers"] = HeadersPart(*parts).translated()
        self._paths(application)
        if written.flag("skip_auth_preflight"):
            application["skipPreflight"] = True
            self.different(
                "skip_auth_preflight", "only what is a browser's preflight passes, not every OPTIONS request"
            )
        if written.flag("skip_jwt_bearer_tokens"):
            application["bearerTokens"] = True
            self._trusted(application)
        return application

    def _trusted(self, application: dict[str, Plain]) -> None:
        """``extra_jwt_issuers``: pairs of issuer and audience."""
        found: dict[str, list[Plain]] = {}
        for pair in self.written.texts("extra_jwt_issuers"):
            issuer, _, audience = pair.partition("=")
            found.setdefault(issuer, []).append(audience)
        if found:
            application["trustedIssuers"] = [
                {"url": issuer, "audiences": audiences, "allow": deepcopy(application["allow"])}
                for issuer, audiences in found.items()
            ]
            self.different(
                "extra_jwt_issuers",
                "their tokens stand under the same rules as people, and name whoever is in sub: look at allow and "
                "claims of each",
            )

    def _domain(self, application: dict[str, Plain], external: str) -> None:
        domains = [domain.lower().lstrip("*.") for domain in self.written.texts("cookie_domains")]
        host = urlsplit(external).hostname or ""
        if not domains:
            return
        fitting = [domain for domain in domains if host == domain or host.endswith(f".{domain}")]
        if fitting and fitting[0] != host:
            application["domain"] = max(fitting, key=len)
            self.different("cookie_domains", "every host under the domain is this application's, with one login")
        if len(domains) > 1:
            self.different("cookie_domains", "one domain is taken; make an application for each other one")

    def _note_other_proxies(self, prefix: str) -> None:
        place = self.place("proxy_prefix") or self.place("upstreams") or "-"
        self.made.different.append(
            Note(
                place,
                "the addresses that your proxy asks",
                f"{prefix}/auth becomes /outpost.goauthentik.io/auth/nginx (traefik, caddy, envoy), "
                f"{prefix}/start and {prefix}/sign_in become /outpost.goauthentik.io/start, {prefix}/sign_out becomes "
                "/outpost.goauthentik.io/sign_out; see the pages about each proxy",
            )
        )

    def _upstreams(self) -> list[Plain]:
        written = self.written
        found = written.upstreams
        if found is None:
            place = self.place("upstreams")
            found = [Upstream(urlsplit(url).path or "/", url, place) for url in written.texts("upstreams")]
        made: list[Plain] = []
        for upstream in found:
            parts = urlsplit(upstream.url)
            if parts.scheme in ("static", "file"):
                what = (
                    "files are not served"
                    if parts.scheme == "file"
                    else "nothing is answered in an application's place"
                )
                if upstream.url not in ("static://202", "static://200"):
                    self.made.missing.append(
                        Note(upstream.place, upstream.url, f"{what}; nearest: a web server behind the outpost")
                    )
                continue
            made.append(self._upstream(upstream, parts.scheme, parts.netloc))
        return made

    def _upstream(self, upstream: Upstream, scheme: str, server: str) -> dict[str, Plain]:
        written = self.written
        made: dict[str, Plain] = {}
        path = re.sub(r"[/^$]+$", "", upstream.path)
        if re.search(r"[^A-Za-z0-9/._~-]", path):
            self.made.missing.append(
                Note(upstream.place, upstream.path, "a path is no expression here; nearest: its plain beginning")
            )
            path = re.match(r"(?:/[A-Za-z0-9._~-]+)*", path)[0]  # type: ignore[index]
        if path:
            made["path"] = path
        made["url"] = f"{scheme}://{server}" if scheme != "unix" else upstream.url
        passes = (
            upstream.pass_host if upstream.pass_host is not None else written.flag("pass_host_header", default=True)
        )
        if not passes:
            made["passHost"] = False
        insecure = upstream.insecure
        if insecure or (insecure is None and written.flag("ssl_upstream_insecure_skip_verify")):
            made["insecureSkipVerify"] = True
        timeout = upstream.timeout or written.text("upstream_timeout")
        if timeout:
            made["timeout"] = timeout
        return made

    def _paths(self, application: dict[str, Plain]) -> None:
        written = self.written
        skip: list[Plain] = []
        for name in ("skip_auth_regex", "skip_auth_routes"):
            for pattern in written.texts(name):
                negated = pattern.startswith("!=")
                method = re.match(r"([A-Z]+)(!?)=", pattern)
                if negated or method:
                    self.gone(
                        self.place(name), pattern,
                        "a path is open for every method or for none; nearest: a route in the proxy in front",
                    )  # fmt: skip
                elif not self.is_usable(pattern):
                    self.gone(
                        self.place(name), pattern, "this expression cannot run in linear time; write a plainer one"
                    )
                else:
                    skip.append(pattern)
        if skip:
            application["skipPaths"] = skip
        api: list[Plain] = [pattern for pattern in written.texts("api_routes") if self.is_usable(pattern)]
        if written.flag("force_json_errors"):
            api = ["^/"]
        if api:
            application["apiPaths"] = api
