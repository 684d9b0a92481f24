"""What can be found, in words: one table for terminals, JSON and the manual."""

from __future__ import annotations

from msgspec import Struct

from doorward.messages.decisions import DOUBT, FAULT, GOOD, NOTE, Finding

__all__ = ["DOUBT", "FAULT", "GOOD", "NOTE", "REMEDIES", "Finding", "Report"]


class Report(Struct, frozen=True):
    """Everything that was seen at one address, in order."""

    url: str
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.verdict == FAULT)


REMEDIES: dict[str, str] = {
    "bad_url": "Give the address as a browser shows it: http:// or https://, a host, and the port if there is one.",
    "dns": "Make a DNS record for this name that leads to the proxy, or give an address with --resolve HOST=ADDRESS.",
    "unreachable": "See that the proxy runs and listens on this port, and that no firewall stops the connection.",
    "tls_untrusted": "Browsers will warn. Use a certificate of an authority that they trust, or name yours with --ca.",
    "tls_expired": "Renew the certificate, and see that the proxy has loaded the new one.",
    "tls_wrong_name": "The proxy shows another host's certificate: give it one for this name.",
    "tls": "The server does not speak TLS here, or not a version that browsers still use.",
    "anonymous_let_through": (
        "A stranger reaches the application. Let the proxy ask the outpost on this route (forwardAuth, auth_request, "
        "forward_auth), or take the path out of the unauthenticated paths if it is meant to be protected."
    ),
    "no_route": "The proxy answers 404: give it a route for this host; look at how the host is spelled in its rule.",
    "gateway": "The proxy cannot reach what it asks: the outpost's address in its configuration, or the application.",
    "no_application": (
        "The outpost does not know this host. Compare it with the external host of the provider, assign the provider "
        "to the outpost, and see that the proxy hands on the host that the browser asked for, with its port."
    ),
    "headers_not_forwarded": (
        "The proxy does not tell the outpost what was asked for. Traefik and Caddy send X-Forwarded-Proto, -Host and "
        "-Uri by themselves; nginx needs proxy_set_header X-Original-URL $scheme://$http_host$request_uri."
    ),
    "proxy_not_trusted": (
        "The outpost does not take this proxy's word about browsers. Add the proxy's address to "
        "forwardedHeaders.trustedIPs of the entry point that it asks (doorward outpost: to its trustedProxies)."
    ),
    "signin_not_routed": (
        "The proxy passes the 401 on instead of sending the browser to log in. nginx needs "
        "error_page 401 = @goauthentik_proxy_signin and that location."
    ),
    "outpost_path_not_routed": (
        "Requests for /outpost.goauthentik.io do not get to the outpost on this host. Give the proxy a route for that "
        "path to the outpost, before the application's own."
    ),
    "redirect_loop": "See the cause below; each round is shown as the browser sees it.",
    "scheme_loop": (
        "What is behind the proxy believes that browsers come over the other scheme, and redirects for ever. Let the "
        "proxy that ends TLS send X-Forwarded-Proto, and let what is behind trust its address."
    ),
    "cookie_domain": (
        "A browser drops the session cookie: its domain does not cover this host. Set the provider's cookie domain to "
        "a domain that both this host and the external host are under."
    ),
    "cookie_secure": (
        "A browser drops the session cookie, or does not send it back: it is Secure, and this address is plain http. "
        "Open the application over https, or set the provider's external host to the http:// address."
    ),
    "cookie_missing": (
        "The answer that sends the browser to log in carries no session cookie, so the login cannot be recognised when "
        "it comes back. nginx needs auth_request_set and add_header Set-Cookie for it."
    ),
    "cookie_not_forwarded": (
        "The browser sends the session cookie, and the outpost does not get it: the proxy does not hand on the Cookie "
        "field to the outpost (look for proxy_pass_request_headers, header allow-lists, or cookies removed on the way)."
    ),
    "wrong_external_url": (
        "The login would come back to another address than this one. Set the provider's external host to what browsers "
        "use, or see that the proxy tells the outpost the right host and scheme."
    ),
    "path_lost": (
        "After the login the browser would not come back to where it wanted to go: the proxy tells the outpost another "
        "path than was asked for."
    ),
    "issuer_unreachable": "Browsers cannot open the login page: look at its name, its port and its certificate.",
    "issuer_unreachable_from_outpost": (
        "The outpost cannot reach the token endpoint of the identity provider, so no login can be completed. From the "
        "outpost's machine the issuer's address must resolve and be reachable, with a certificate that it trusts."
    ),
    "redirect_uri_refused": (
        "The identity provider does not take the address to come back to. Save the provider again with this external "
        "host, or add the redirect URI that is named."
    ),
    "callback_lost": (
        "What comes back from the login does not reach the outpost. The path /outpost.goauthentik.io/callback on this "
        "host must lead to the outpost, with its query and its cookies."
    ),
    "clock_skew": "Let both machines keep time (NTP): tokens are refused when clocks differ by more than a minute.",
    "foreign_login": "Another login than an authentik-style outpost protects this address; nothing more can be said.",
    "outpost_error": "The outpost answers with an error page; doorward explain REQUEST says which rule decided.",
    "login_failed": "Give the name and password of a user who may enter this application.",
    "login_needs_more": "This user has a second factor or must answer something; use a user without one for the check.",
    "login_denied": "The user is known and may not enter: look at the application's access rules.",
    "header_not_copied": (
        "The application does not get what the outpost says. Name the fields in authResponseHeaders (Traefik), "
        "auth_request_set with proxy_set_header (nginx) or copy_headers (Caddy)."
    ),
    "forged_header_arrives": (
        "A field that a client sends reaches the application under a name that says who somebody is. Name it among "
        "those that the proxy takes from the outpost, so that it replaces the client's."
    ),
    "forged_alias_arrives": (
        "Some applications read a name with dots as the one with hyphens. Let the proxy remove such names, or see that "
        "the application does not read them."
    ),
}
