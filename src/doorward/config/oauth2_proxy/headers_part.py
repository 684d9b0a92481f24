"""What the application is told of the person."""

from __future__ import annotations

from doorward.config.document import Plain
from doorward.config.oauth2_proxy.notes import Part

_USER_FIELDS = ("X-Auth-Request-User", "X-Forwarded-User")


class HeadersPart(Part):
    """The section ``headers`` of the application."""

    def translated(self) -> dict[str, Plain]:
        written = self.written
        headers: dict[str, Plain] = {"authentik": False}
        claims: dict[str, Plain] = {}
        email = written.text("oidc_email_claim", "email")
        if written.injections is None:
            if written.flag("set_xauthrequest"):
                headers["authRequest"] = True
            if written.flag("pass_user_headers", default=True) or written.flag("pass_basic_auth", default=True):
                headers["forwardedUser"] = True
            if written.flag("pass_access_token"):
                headers["accessToken"] = True
            if written.flag("pass_authorization_header") or written.flag("set_authorization_header"):
                headers["authorization"] = True
            if written.flag("prefer_email_to_user"):
                claims |= {name: email for name in _USER_FIELDS if headers.get(_switch_of(name))}
        else:
            self._injections(headers, claims, email)
        if claims:
            headers["claims"] = claims
        return headers

    def _injections(self, headers: dict[str, Plain], claims: dict[str, Plain], email: str) -> None:
        groups = self.written.text("oidc_groups_claim", "groups")
        for each in self.written.injections or []:
            if each.header.lower() == "authorization" and each.claim == "@id_token":
                headers["authorization"] = True
            elif each.claim == "@access_token":
                headers["accessToken"] = True
                if each.header not in ("X-Forwarded-Access-Token", "X-Auth-Request-Access-Token"):
                    self.gone(each.place, each.header, "the access token is in X-Forwarded-Access-Token")
            elif each.claim == "@id_token" or each.prefix:
                self.gone(each.place, each.header, "a claim is handed on as it is; headers: {authorization: true} has "
                           "the ID token")  # fmt: skip
            else:
                claims[each.header] = {"@email": email, "@groups": groups}.get(each.claim, each.claim)


def _switch_of(header: str) -> str:
    return "authRequest" if header.startswith("X-Auth-Request-") else "forwardedUser"
