"""Redirecting entry points, and what the operator is warned about."""

from __future__ import annotations

import pytest

from doorward.config.problems import ConfigurationError
from doorward.messages.routing import Any, Host, Not, RedirectScheme
from sources.compiling import STATIC, compiled, router

REDIRECTING = STATIC.replace(
    'web: {address: ":80"}', 'web: {address: ":80", http: {redirections: {entryPoint: {to: websecure}}}}'
)
APP = "services: {app: {loadBalancer: {servers: [{url: 'http://a'}]}}}"


def test_redirection_knows_the_hosts_of_its_target() -> None:
    """Only hosts that we answer for are redirected; every other one gets its 404."""  # S-225
    result = compiled(
        "http: {routers: {a: {rule: 'Host(`a`) && Path(`/x`)', service: app, entryPoints: websecure}, "
        "b: {rule: 'Host(`b`) || Host(`*.c`)', service: gone, entryPoints: websecure}, "
        f"plain: {{rule: 'Host(`d`)', service: app, entryPoints: web}}}}, {APP}}}",
        REDIRECTING,
    )

    made = router(result, "web-to-websecure@internal")
    assert made.rule == Any((Host("*.c"), Host("a"), Host("b")))
    assert made.middlewares == (RedirectScheme("redirect-web-to-websecure@internal", "https", "443", True),)
    assert made.priority == 2**63 - 2
    assert result.table.routers.index(made) == min(
        index for index, found in enumerate(result.table.routers) if "web" in found.entry_points
    )


def test_redirection_to_a_catch_all_needs_a_host() -> None:
    """Where the target answers for every host, a request without one is still not redirected."""
    result = compiled(
        f"http: {{routers: {{a: {{rule: 'PathPrefix(`/`)', service: app, entryPoints: websecure}}}}, {APP}}}",
        REDIRECTING,
    )

    assert router(result, "web-to-websecure@internal").rule == Not(Host(""))


def test_redirection_without_routers_does_nothing() -> None:
    """With nothing to redirect to, everything is a 404."""
    result = compiled(f"http: {{{APP}}}", REDIRECTING)

    assert not [found for found in result.table.routers if "web" in found.entry_points]


@pytest.mark.parametrize(
    ("static", "warning"),
    [
        ("forwardedHeaders: {insecure: true}", "anybody can pretend"),
        ("forwardedHeaders: {trustedIPs: 0.0.0.0/0}", "0.0.0.0/0 is everybody"),
        ("forwardedHeaders: {trustedIPs: ['::/0']}", "::/0 is everybody"),
    ],
)
def test_trust_in_everybody_is_warned_about(static: str, warning: str) -> None:
    """Believing everybody's forwarding headers is possible, and never quiet."""  # S-129
    result = compiled(f"http: {{{APP}}}", STATIC.replace('":80"}', f'":80", {static}}}'))

    assert any(warning in line for line in result.warnings)


def test_unverified_tls_is_warned_about() -> None:
    """Verification is on unless switched off by name, and then it is said."""  # S-719
    result = compiled(
        "http: {serversTransports: {t: {insecureSkipVerify: true}}, middlewares: {m: {forwardAuth: {address: "
        "'https://a', tls: {insecureSkipVerify: true}}}}}",
        STATIC + "serversTransport: {insecureSkipVerify: true}\n",
    )

    assert [line.split(":")[0] for line in result.warnings] == [
        "serversTransport.insecureSkipVerify",
        "the serversTransport t@file believes every server (insecureSkipVerify)",
        "the middleware m@file believes every auth server (insecureSkipVerify)",
    ]


def test_unprotected_twin_is_warned_about() -> None:
    """The same host and path with and without authentication is told to the operator."""  # S-221
    result = compiled(
        "http: {routers: {safe: {rule: 'Host(`a`)', service: app, middlewares: auth, entryPoints: web}, "
        "open: {rule: 'Host(`a`) && Method(`GET`)', service: app, entryPoints: web}, "
        "other: {rule: 'Host(`b`)', service: app, entryPoints: web}, "
        "part: {rule: 'Host(`a`) && PathPrefix(`/public`)', service: app, entryPoints: web}}, "
        f"middlewares: {{auth: {{forwardAuth: {{address: 'http://auth'}}}}}}, {APP}}}"
    )

    assert result.warnings == (
        "the routers safe@file (with authentication) and open@file (without) both answer for a with the same path",
    )


def test_credentials_for_everybody_are_warned_about() -> None:
    """CORS that lets every website read with the user's cookies is said aloud."""
    result = compiled(
        "http: {middlewares: {m: {headers: {accessControlAllowOriginList: '*', accessControlAllowCredentials: true}}}}"
    )

    assert result.warnings == ("the middleware m@file lets every website read with the user's credentials",)


def test_internal_routers_are_on_their_entry_points_only() -> None:
    """Health, outpost and metrics answer where the static configuration says, and nowhere else."""  # S-232
    result = compiled(
        f"http: {{{APP}}}", STATIC + "ping: {entryPoint: web}\nmetrics: {prometheus: {entryPoint: web}}\n"
    )

    assert {found.name: (found.entry_points, found.rule_text) for found in result.table.routers} == {
        "health@internal": (("identity",), "PathPrefix(`/-/health/`)"),
        "ping@internal": (("web",), "PathPrefix(`/ping`)"),
        "prometheus@internal": (("web",), "PathPrefix(`/metrics`)"),
        "outpost@internal": (("identity",), "PathPrefix(`/outpost.goauthentik.io/`)"),
        "identity@internal": (("identity",), "PathPrefix(`/`)"),
    }


def test_entry_point_middleware_needs_its_provider() -> None:
    """As in Traefik: the static configuration has no provider of its own."""
    with pytest.raises(ConfigurationError, match="must name its provider"):
        compiled(f"http: {{{APP}}}", STATIC.replace("tls: {}", "tls: {}, middlewares: [auth]"))
