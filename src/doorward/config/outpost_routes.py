"""The routes of an outpost on its own: its own endpoints on every host, and the applications whose servers it knows.

An application with upstreams is behind the same data plane as in the whole program: a ``forwardAuth`` that is a call.
All its routes have the very same middleware, so that no path of its host can be read in two ways.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from doorward.config.outpost import OutpostConfiguration
from doorward.config.outpost_applications import Application, Upstream
from doorward.messages import routing

ENTRY_POINT, METRICS = "outpost", "metrics"
PREFIX = "/outpost.goauthentik.io"
LOGOUT = f"{PREFIX}/backchannel_logout"
OUTPOST, HEALTH, NUMBERS = "outpost@internal", "health@internal", "prometheus@internal"
IDENTITY_FIELDS = tuple(
    f"X-authentik-{name}"
    for name in (
        "username", "groups", "entitlements", "email", "name", "uid", "jwt", "meta-jwks", "meta-outpost",
        "meta-provider", "meta-app", "meta-version",
    )
)  # fmt: skip
COOKIE_PARTS = 4
"""``outpost.standalone.sealed_store.MAX_CHUNKS``."""

ReadCa = Callable[..., str]


def table_of(written: OutpostConfiguration, chain: str, key: str, read_ca: ReadCa) -> routing.RoutingTable:
    """``chain`` and ``key``: of the outpost's own TLS, empty without. ``read_ca`` reads the file of authorities that
    an option names."""
    tls = bool(chain)
    services: dict[str, routing.Service] = {name: routing.Internal(name) for name in (OUTPOST, HEALTH, NUMBERS)}
    routers: list[routing.Router] = []
    for name, application in written.applications.items():
        issuer = application.issuer or written.issuer
        guard = _guard(name, application, cookie_id(issuer.client_id if issuer is not None else "", name))
        for number, upstream in enumerate(application.upstreams):
            ca = read_ca(upstream.ca_file, "applications", name, "upstreams", number, "caFile")
            service = f"{name}-{number}@outpost"
            services[service] = _service(service, upstream, ca)
            routers.append(_route(name, number, application, upstream, service, guard))
        if application.upstreams:
            routers.append(_logout(name, application, guard))
    callbacks = sorted({each.callback_path for each in written.applications.values() if each.callback_path})
    routers += [_own(f"callback-{number}", routing.Path(path), OUTPOST, 30) for number, path in enumerate(callbacks)]
    routers.append(_own("outpost", routing.PathPrefix(f"{PREFIX}/"), OUTPOST, 20))
    routers.append(_own("health", routing.PathPrefix("/-/health/"), HEALTH, 10))
    routers = [_with_tls(router, tls) for router in routers]
    if written.metrics is not None:
        rule = routing.Path("/metrics")
        routers.append(routing.Router("metrics@outpost", (METRICS,), rule, "Path(`/metrics`)", 10, (), NUMBERS))
        ping = routing.Path(f"{PREFIX}/ping")
        routers.append(routing.Router("ping@outpost", (METRICS,), ping, f"Path(`{PREFIX}/ping`)", 10, (), OUTPOST))
    return routing.RoutingTable(
        version=1,
        routers=tuple(sorted(routers, key=lambda router: -router.priority)),
        services=services,
        default_certificate=routing.Certificate(chain, key) if tls else None,
    )


def _route(
    name: str, number: int, application: Application, upstream: Upstream, service: str, guard: routing.ForwardAuth
) -> routing.Router:
    below = upstream.path.rstrip("/")
    rules: list[routing.Rule] = [_place(application)]
    if below:
        rules.append(routing.Any((routing.Path(below), routing.PathPrefix(f"{below}/"))))
    strip: tuple[routing.Middleware, ...] = ()
    if upstream.strip_path and below:
        strip = (routing.StripPrefix(f"strip-{name}-{number}@outpost", (below,)),)
    return routing.Router(
        name=f"{name}-{number}@outpost",
        entry_points=(ENTRY_POINT,),
        rule=routing.All(tuple(rules)) if len(rules) > 1 else rules[0],
        rule_text=f"{application.external_url}{below}",
        priority=1000 + len(application.external_url) + len(below),
        middlewares=(guard, *strip),
        service=service,
    )


def _logout(name: str, application: Application, guard: routing.ForwardAuth) -> routing.Router:
    """The issuer's own request: it has a body, which the question whether it may pass has not."""
    rule = routing.All((_place(application), routing.Path(LOGOUT), routing.Method("POST")))
    return routing.Router(
        name=f"{name}-logout@outpost",
        entry_points=(ENTRY_POINT,),
        rule=rule,
        rule_text=f"{application.external_url}{LOGOUT}",
        priority=100_000,
        middlewares=(guard,),
        service=OUTPOST,
    )


def cookie_id(client_id: str, name: str) -> str:
    """What names the cookie of the application called ``name``: several may share a client, and a host."""
    return f"{client_id} {name}"


def _guard(name: str, application: Application, own: str) -> routing.ForwardAuth:
    return routing.ForwardAuth(
        name=f"{name}@outpost",
        address=f"http://outpost.internal{PREFIX}/auth/traefik",
        trust_forward_header=True,
        auth_response_headers=tuple(_fields(application)),
        add_auth_cookies_to_response=_cookies(own, application.cookie_prefix),
        forward_body=application.keep_forms,
        max_body_size=1 << 20,
        preserve_location_header=True,
        fused=True,
    )


def _fields(application: Application) -> Iterator[str]:
    """Every field that the outpost may set: the client's are taken away, also where the outpost says nothing."""
    headers = application.headers
    yield from IDENTITY_FIELDS
    for wanted, prefix in ((headers.auth_request, "X-Auth-Request-"), (headers.forwarded_user, "X-Forwarded-")):
        if wanted:
            yield from (f"{prefix}{name}" for name in ("User", "Email", "Groups", "Preferred-Username"))
    if headers.access_token:
        yield "X-Forwarded-Access-Token"
        yield "X-Auth-Request-Access-Token"
    if headers.authorization:
        yield "Authorization"
    yield from headers.claims


def _cookies(own: str, prefix: str | None) -> tuple[str, ...]:
    """Names of the cookies in which a renewed session goes back to the browser."""
    short = hashlib.sha256(own.encode()).hexdigest()[:8]
    before = {"host": "__Host-", "secure": "__Secure-"}.get(prefix or "", "")
    return tuple(f"{before}authentik_proxy_{short}_{number}" for number in range(COOKIE_PARTS))


def _place(application: Application) -> routing.Rule:
    parts = urlsplit(application.external_url)
    host = (parts.hostname or "").lower()
    rule: routing.Rule = routing.Host(host)
    if application.domain:
        rule = routing.Any((routing.Host(application.domain), routing.Host(f"*.{application.domain}")))
    path = parts.path.rstrip("/")
    if path:
        inside = routing.Any((routing.Path(path), routing.PathPrefix(f"{path}/")))
        return routing.All((rule, inside))
    return rule


def _service(name: str, upstream: Upstream, ca: str) -> routing.LoadBalancer:
    tls = None
    if ca or upstream.insecure_skip_verify:
        tls = routing.ClientTls(ca_pem=ca, insecure_skip_verify=upstream.insecure_skip_verify)
    urls = upstream.urls or ((upstream.url,) if upstream.url else ())
    return routing.LoadBalancer(
        name=name,
        servers=tuple(routing.Server(url) for url in urls),
        pass_host_header=upstream.pass_host,
        tls=tls,
        response_header_timeout=upstream.timeout,
    )


def _own(name: str, rule: routing.Rule, service: str, priority: int) -> routing.Router:
    return routing.Router(f"{name}@outpost", (ENTRY_POINT,), rule, name, priority, (), service)


def _with_tls(router: routing.Router, tls: bool) -> routing.Router:
    return routing.Router(
        router.name, router.entry_points, router.rule, router.rule_text, router.priority, router.middlewares,
        router.service, tls,
    )  # fmt: skip
