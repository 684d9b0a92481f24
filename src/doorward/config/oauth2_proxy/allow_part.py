"""Who may enter. What cannot be said here is never let in by that: then nobody may, until somebody decides."""

from __future__ import annotations

from doorward.config.document import Plain
from doorward.config.oauth2_proxy.known import SHUTTING
from doorward.config.oauth2_proxy.notes import Note, Part


class AllowPart(Part):
    """The section ``allow`` of the application."""

    def translated(self) -> dict[str, Plain]:
        written = self.written
        shut = [name for name in written.options if name in SHUTTING and written.texts(name)]
        if shut:
            self.made.open.append(
                f"who may enter: {', '.join(shut)} cannot be taken over, so nobody may until you say who (allow)"
            )
            return {}
        allow: dict[str, Plain] = {}
        groups: list[Plain] = [
            *written.texts("allowed_groups"), *written.texts("keycloak_groups"), *written.texts("gitlab_groups"),
        ]  # fmt: skip
        if groups:
            allow["groups"] = groups
        addresses = self._addresses()
        claims = self._roles()
        if written.texts("entra_id_allowed_tenants"):
            claims["tid"] = [*written.texts("entra_id_allowed_tenants")]
        if claims:
            allow["claims"] = claims
        if allow or addresses:
            return {**allow, **addresses}
        if "*" in written.texts("email_domains"):
            return {"everybody": True}
        self.made.open.append("who may enter is not said: neither email_domains nor authenticated_emails_file")
        return {}

    def _addresses(self) -> dict[str, Plain]:
        """Which addresses count; empty for all of them."""
        written = self.written
        domains, file = written.texts("email_domains"), written.text("authenticated_emails_file")
        if "*" in domains:
            if file:
                self.different("authenticated_emails_file", 'without effect beside email_domains "*": it is left out')
            return {}
        made: dict[str, Plain] = {}
        if domains:
            made["emailDomains"] = [domain.lower().removeprefix("*") for domain in domains]
        if file:
            made["emailsFile"] = file
        if not made:
            return {}
        if written.flag("insecure_oidc_allow_unverified_email"):
            made["unverifiedEmail"] = True
            return made
        place = self.place("email_domains") or self.place("authenticated_emails_file")
        text = (
            "an address counts only when the issuer says email_verified: true; where it says nothing about it, write "
            "allow: {unverifiedEmail: true} if only administrators can write addresses there"
        )
        self.made.different.append(Note(place, "who may enter", text))
        return made

    def _roles(self) -> dict[str, Plain]:
        """Keycloak's: of the realm, or ``client:role``."""
        by_claim: dict[str, list[Plain]] = {}
        for role in self.written.texts("allowed_roles"):
            client, colon, own = role.partition(":")
            claim = f"resource_access.{client}.roles" if colon else "realm_access.roles"
            by_claim.setdefault(claim, []).append(own if colon else role)
        if not by_claim:
            return {}
        self.different("allowed_roles", "they are read in the token where Keycloak writes them")
        if len(by_claim) > 1:
            self.made.open.append(
                "allowed_roles names roles of several clients, of which one was enough; allow.claims wants one of "
                "each: choose"
            )
        return {**by_claim}
