"""From what is written for oauth2-proxy to the configuration of ``doorward outpost``, and what is different then."""

from __future__ import annotations

import re
from collections.abc import Callable

from doorward.config.document import Plain
from doorward.config.oauth2_proxy.application_part import ApplicationPart
from doorward.config.oauth2_proxy.issuer_part import IssuerPart
from doorward.config.oauth2_proxy.known import IGNORED, NOTHING_LIKE_IT
from doorward.config.oauth2_proxy.notes import Note, Part, Translation
from doorward.config.oauth2_proxy.written import Option, Written

STATE = "/var/lib/doorward-outpost"


def translate(written: Written, external_url: str, name: str, is_usable: Callable[[str], bool]) -> Translation:
    """``external_url`` is for a configuration without ``redirect_url``; ``name`` is the application's key.
    ``is_usable`` says whether an expression may run."""
    return _Whole(written, Translation(), name, external_url.rstrip("/"), is_usable).translated()


class _Whole(Part):
    def translated(self) -> Translation:
        parts = (self.written, self.made, self.name, self.external_url, self.is_usable)
        application = ApplicationPart(*parts).translated()
        configuration: dict[str, Plain] = {"listen": self._listen()}
        self._tls(configuration)
        self._proxies(configuration)
        configuration["issuer"] = IssuerPart(*parts).translated()
        configuration["applications"] = {self.name: application}
        configuration["session"] = self._session()
        self._secret(configuration)
        if self.written.text("metrics_address"):
            configuration["metrics"] = _address(self.written.text("metrics_address"))
        if self.written.flag("request_logging", default=True):
            configuration["accessLog"] = {}
        self.made.configuration = configuration
        self._rest("domain" in application)
        return self.made

    def _listen(self) -> str:
        written = self.written
        plain, secure = written.text("http_address"), written.text("https_address")
        if written.text("tls_cert_file"):
            if plain:
                self.different("http_address", "it listens at one address: the one with TLS is taken")
            return _address(secure or ":443")
        if plain.startswith(("unix:", "fd:")):
            self.made.open.append(f"http_address {plain}: it listens on TCP; say where (listen)")
            return "127.0.0.1:4180"
        return _address(plain or "127.0.0.1:4180")

    def _tls(self, configuration: dict[str, Plain]) -> None:
        if self.written.text("tls_cert_file"):
            configuration["tls"] = {
                "certFile": self.written.text("tls_cert_file"),
                "keyFile": self.written.text("tls_key_file"),
            }

    def _proxies(self, configuration: dict[str, Plain]) -> None:
        written = self.written
        if not written.flag("reverse_proxy"):
            configuration["trustedProxies"] = []
        elif written.texts("trusted_proxy_ips"):
            configuration["trustedProxies"] = [*written.texts("trusted_proxy_ips")]
        else:
            self.different("reverse_proxy", "X-Forwarded-* count from loopback and private networks (trustedProxies)")

    def _session(self) -> dict[str, Plain]:
        written = self.written
        session: dict[str, Plain] = {}
        if written.text("session_store_type") == "redis":
            session["store"] = "file"
            self.different(
                "session_store_type",
                "sessions are kept in a file of one outpost; for several outposts take store: cookie, with the same "
                "cookie.secret",
            )
        lifetime = written.text("cookie_expire", "168h")
        session["lifetime"] = "168h" if lifetime in ("0", "0s") else _duration(lifetime)
        if lifetime in ("0", "0s"):
            self.different("cookie_expire", "a session has an end: a week is taken")
        if written.text("cookie_refresh") in ("", "0", "0s"):
            session["outlivesTokens"] = True
            self.made.different.append(
                Note(
                    self.place("cookie_refresh") or "-",
                    "session.outlivesTokens",
                    "without cookie_refresh a session lived for all of cookie_expire; so does it here where the issuer "
                    "gives no refresh token. Better: the scope offline_access, and outlivesTokens: false",
                )
            )
        return session

    def _secret(self, configuration: dict[str, Plain]) -> None:
        secret = self.written.text("cookie_secret")
        configuration["state"] = STATE
        if len(secret) >= 32:
            configuration["cookie"] = {"secret": secret}
        elif secret:
            self.different("cookie_secret", f"it is shorter than 32 characters: a new one is made and kept in {STATE}")

    def _rest(self, whole_domain: bool) -> None:
        written, made = self.written, self.made
        for place, name, hint in written.unknown:
            said = "is no option of oauth2-proxy that is known here" + (f"; {hint}" if hint else "")
            made.missing.append(Note(place, name, said))
        for place, name, why, nearest in written.unlike:
            made.missing.append(Note(place, name, f"{why}; nearest: {nearest}"))
        for name, option in written.options.items():
            if name in IGNORED:
                made.ignored.append(Note(option.place, name, IGNORED[name]))
            elif name in NOTHING_LIKE_IT and not _is_off(option):
                why, nearest = NOTHING_LIKE_IT[name]
                made.missing.append(Note(option.place, name, f"{why}; nearest: {nearest}"))
        if written.text("basic_auth_password") == "" and "pass_basic_auth" in written.options:
            made.ignored.append(
                Note(self.place("pass_basic_auth"), "pass_basic_auth", "no Basic credentials are made up")
            )
        if written.texts("whitelist_domains") and not whole_domain:
            self.different("whitelist_domains", "after a login one returns to the application, or within its domain")


def _is_off(option: Option) -> bool:
    return option.value in (None, "", "-", False, []) or str(option.value).lower() == "false"


def _address(text: str) -> str:
    """``http://0.0.0.0:4180`` as ``0.0.0.0:4180``."""
    return re.sub(r"^https?://", "", text.strip(), flags=re.IGNORECASE)


def _duration(text: str) -> str:
    """Go's ``168h0m0s`` as it is; it is what we read, too."""
    return text.strip() or "168h"
