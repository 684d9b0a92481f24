"""Which issuer, as which client, and where it says what."""

from __future__ import annotations

import re

from doorward.config.document import Plain
from doorward.config.oauth2_proxy.known import BY_ISSUER_URL, ISSUERS, NOT_OPENID
from doorward.config.oauth2_proxy.notes import Part


class IssuerPart(Part):
    """The section ``issuer``."""

    def translated(self) -> Plain:
        written = self.written
        provider = written.text("provider", "google")
        url = written.text("oidc_issuer_url") or self._known_issuer(provider)
        if written.text("oidc_issuer_url") and written.text("login_url"):
            self.different("login_url", "the endpoint is what the issuer publishes")
        if provider in NOT_OPENID:
            self.made.open.append(
                f"provider {provider}: {NOT_OPENID[provider]}. Put an identity provider between that has it as a "
                "source (a Doorward, a Keycloak, a Dex), and name that one as the issuer."
            )
        elif not url:
            self.made.open.append(f"provider {provider} needs oidc_issuer_url: which issuer is it?")
        issuer: dict[str, Plain] = {"url": url or "https://CHANGE.ME", "clientId": written.text("client_id")}
        if written.text("client_secret_file"):
            issuer["clientSecretFile"] = written.text("client_secret_file")
        elif written.text("client_secret"):
            issuer["clientSecret"] = written.text("client_secret")
        else:
            issuer["clientAuthentication"] = "none"
        issuer["scopes"] = self._scopes(provider)
        parameters: dict[str, Plain] = {}
        if provider == "google":
            parameters["access_type"] = "offline"
        for option in ("prompt", "acr_values"):
            if written.text(option):
                parameters[option] = written.text(option)
        if parameters:
            issuer["parameters"] = parameters
        self._claims(issuer)
        if written.flag("skip_claims_from_profile_url"):
            issuer["userinfo"] = "never"
        authorities = written.texts("provider_ca_files")
        if authorities:
            issuer["caFile"] = authorities[0]
        if len(authorities) > 1:
            self.different("provider_ca_files", "one file is taken; put the certificates of all into it")
        if written.flag("ssl_insecure_skip_verify"):
            issuer["insecureSkipVerify"] = True
        return issuer

    def _known_issuer(self, provider: str) -> str:
        written = self.written
        if provider in ISSUERS:
            return ISSUERS[provider]
        if provider in ("azure", "entra-id") and written.text("azure_tenant") not in ("", "common"):
            tenant = written.text("azure_tenant")
            self.different("azure_tenant", "the tenant's issuer of version 2.0 is taken; its tokens have other claims")
            return f"https://login.microsoftonline.com/{tenant}/v2.0"
        realm = re.fullmatch(r"(https?://.+/realms/[^/]+)/protocol/openid-connect/auth/?", written.text("login_url"))
        if realm:
            self.different("login_url", "the realm's issuer URL is taken, and the rest is what it publishes")
            return realm[1]
        if provider not in BY_ISSUER_URL | NOT_OPENID.keys() | {"keycloak"}:
            self.made.open.append(f"provider {provider!r} is not known; if it is OpenID Connect, take provider oidc")
        return ""

    def _scopes(self, provider: str) -> list[Plain]:
        written = self.written
        scopes: list[Plain] = [*written.text("scope").split()]
        if not scopes:
            scopes = ["openid", "email", "profile"]
            if written.texts("allowed_groups") and provider != "google":
                scopes.append("groups")
        if "openid" not in scopes:
            scopes.insert(0, "openid")
        refreshing = "offline_access" in scopes or provider == "google"
        if written.text("cookie_refresh") not in ("", "0", "0s") and not refreshing:
            scopes.append("offline_access")
            self.different(
                "cookie_refresh",
                "a session is renewed before its access token ends, whatever that time is; the scope offline_access is "
                "asked for, because most issuers give refresh tokens for it (leave it out where yours does not)",
            )
        return scopes

    def _claims(self, issuer: dict[str, Plain]) -> None:
        written = self.written
        claims: dict[str, Plain] = {}
        if written.text("oidc_email_claim"):
            claims["email"] = written.text("oidc_email_claim")
        if written.text("oidc_groups_claim"):
            claims["groups"] = written.text("oidc_groups_claim")
        if written.text("user_id_claim"):
            claims["username"] = [written.text("user_id_claim")]
        if claims:
            issuer["claims"] = claims
