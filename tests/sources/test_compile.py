"""The compiled table: names, order, and what breaks a router and what refuses everything."""

from __future__ import annotations

import socket

import pytest

from doorward.config.problems import ConfigurationError
from doorward.messages.routing import ForwardAuth, Headers, LoadBalancer, StripPrefix
from sources.compiling import STATIC, compiled, router

SERVICE = "services: {app: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}}"


def http(routers: str, middlewares: str = "{}") -> str:
    return f"http:\n  routers: {routers}\n  middlewares: {middlewares}\n  {SERVICE}\n"


def test_order_is_priority_then_name() -> None:
    """The longest rule comes first, an explicit priority wins, and ties go by name."""  # S-221
    result = compiled(
        http(
            "{z: {rule: 'Host(`a`)', service: app, entryPoints: web}, b: {rule: 'Host(`b`)', service: app, "
            "entryPoints: web}, long: {rule: 'Host(`a`) && Path(`/`)', service: app, entryPoints: web}, "
            "first: {rule: 'Host(`c`)', service: app, priority: 1000, entryPoints: web}}"
        )
    )

    ours = [found.name for found in result.table.routers if found.name.endswith("@file")]
    assert ours == ["first@file", "long@file", "b@file", "z@file"]
    assert router(result, "b@file").priority == len("Host(`b`)")


def test_router_without_entry_points_gets_the_outside_ones() -> None:
    """By default a router answers on every entry point but the internal ones, once plain and once with TLS."""
    result = compiled(http("{app: {rule: 'Host(`a`)', service: app}}"))

    assert (router(result, "app@file").entry_points, router(result, "app@file").tls) == (("web",), False)
    split = router(result, "websecure-app@file")
    assert (split.entry_points, split.tls) == (("websecure",), True)


def test_entry_point_middlewares_come_first() -> None:
    """What an entry point demands of everybody runs before the router's own middlewares."""
    static = STATIC.replace("tls: {}", "tls: {}, middlewares: [all@file]")
    result = compiled(
        http(
            "{app: {rule: 'Host(`a`)', service: app, middlewares: strip}}",
            "{all: {headers: {frameDeny: true}}, strip: {stripPrefix: {prefixes: /x}}}",
        ),
        static,
    )

    assert [made.name for made in router(result, "websecure-app@file").middlewares] == ["all@file", "strip@file"]
    assert [made.name for made in router(result, "app@file").middlewares] == ["strip@file"]


def test_chains_are_flattened() -> None:
    """A chain of chains is a list."""
    result = compiled(
        http(
            "{app: {rule: 'Host(`a`)', service: app, middlewares: outer, entryPoints: web}}",
            "{outer: {chain: {middlewares: [inner, one]}}, inner: {chain: {middlewares: [two, 'one@file']}}, "
            "one: {headers: {frameDeny: true}}, two: {stripPrefix: {prefixes: /x}}}",
        )
    )

    assert [made.name for made in router(result, "app@file").middlewares] == ["two@file", "one@file", "one@file"]


@pytest.mark.parametrize(
    ("middlewares", "reason"),
    [
        ("{}", "the middleware 'm@file' does not exist"),
        ("{n: {headers: {frameDeny: true}}}", "did you mean 'n@file'?"),
        ("{m: {}}", "has no type"),
        ("{m: {headers: {frameDeny: true}, stripPrefix: {prefixes: /x}}}", "more than one type: headers, stripPrefix"),
        ("{m: {headers: {}}}", "sets nothing"),
        ("{m: {chain: {middlewares: m}}}", "goes in a circle"),
        ("{m: {chain: {middlewares: n}}, n: {chain: {middlewares: m}}}", "goes in a circle"),
        ("{m: {chain: {middlewares: missing}}}", "'missing@file' does not exist"),
        ("{m: {forwardAuth: {address: '127.0.0.1:9000'}}}", "no http or https URL"),
        ("{m: {forwardAuth: {address: 'http://a:x/'}}}", "no http or https URL"),
        ("{m: {forwardAuth: {address: 'http://a', authResponseHeadersRegex: '(a+)+'}}}", "repetition inside"),
        ("{m: {headers: {accessControlAllowOriginListRegex: '('}}}", "is no regular expression"),
        ("{m: {stripPrefix: {prefixes: x}}}", "does not start with /"),
    ],
)
def test_broken_middleware_breaks_its_router(middlewares: str, reason: str) -> None:
    """A router that cannot be protected as written keeps its place, closed, and says why."""  # S-220, S-704
    result = compiled(http("{app: {rule: 'Host(`a`)', service: app, middlewares: m, entryPoints: web}}", middlewares))

    found = router(result, "app@file")
    assert reason in found.broken
    assert found.middlewares == ()
    assert any("app@file" in line for line in result.broken)


def test_broken_router_stays_in_order() -> None:
    """A catch-all does not move in front of the broken router that it must not answer for."""  # S-220
    result = compiled(
        http(
            "{app: {rule: 'Host(`a`)', service: app, middlewares: gone, entryPoints: web}, "
            "all: {rule: 'PathPrefix(`/`)', priority: 1, service: app, entryPoints: web}}"
        )
    )

    names = [found.name for found in result.table.routers if "web" in found.entry_points]
    assert names == ["app@file", "all@file"]


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ("gone", "the service 'gone@file' does not exist"),
        ("app@docker", "the service 'app@docker' does not exist"),
        ("typeless", "has no type"),
        ("lost", "names the serversTransport 'nope@file', which does not exist"),
    ],
)
def test_broken_service_breaks_its_router(service: str, reason: str) -> None:
    """So does a service that does not exist or cannot work."""
    result = compiled(
        f"""
http:
  routers: {{app: {{rule: "Host(`a`)", service: {service}, entryPoints: web}}}}
  services:
    typeless: {{}}
    lost: {{loadBalancer: {{servers: [{{url: "http://a"}}], serversTransport: nope}}}}
"""
    )

    assert reason in router(result, "app@file").broken


def test_internal_services_may_be_named() -> None:
    """A router of a file can lead to the identity provider or the outpost."""
    result = compiled("http: {routers: {auth: {rule: 'Host(`auth`)', service: identity@internal, entryPoints: web}}}")

    assert router(result, "auth@file").service == "identity@internal"
    service = result.table.services["identity@internal"]
    assert isinstance(service, LoadBalancer)
    assert service.servers[0].url == "unix:/var/lib/doorward/run/identity.sock"


@pytest.mark.parametrize(
    ("routers", "problem"),
    [
        ("{app: {rule: 'Host(`a`', service: app}}", "http.routers.app.rule: the rule ends too early"),
        ("{app: {rule: 'Host(`a`)', service: app, entryPoints: wbe}}", "no entry point 'wbe'; did you mean 'web'?"),
    ],
)
def test_what_could_hide_a_router_refuses_everything(routers: str, problem: str) -> None:
    """A router that matches nothing would open the way to a lower one: the whole is refused instead."""
    with pytest.raises(ConfigurationError, match=problem.replace("?", r"\?").replace("(", r"\(")):
        compiled(http(routers))


@pytest.mark.parametrize("kind", ["routers", "services", "middlewares", "serversTransports"])
def test_names_with_at_are_refused(kind: str) -> None:
    """Nobody can name an object as if another provider had made it."""  # S-717
    content = {
        "routers": "{rule: 'Host(`a`)', service: x}",
        "services": "{loadBalancer: {}}",
        "middlewares": "{headers: {frameDeny: true}}",
        "serversTransports": "{insecureSkipVerify: true}",
    }[kind]

    with pytest.raises(ConfigurationError, match="must not be empty or contain @"):
        compiled(f"http: {{{kind}: {{'evil@internal': {content}}}}}")


def test_priority_above_ours_is_refused() -> None:
    """No router can push itself before the internal ones."""
    with pytest.raises(ConfigurationError, match="priority"):
        compiled(http(f"{{app: {{rule: 'Host(`a`)', service: app, priority: {2**63 - 1}}}}}"))


@pytest.mark.parametrize(
    ("address", "fused"),
    [
        ("http://127.0.0.1:9000/outpost.goauthentik.io/auth/traefik", True),
        ("http://localhost:9000/outpost.goauthentik.io/auth/traefik?x=1", True),
        (f"http://{socket.gethostname()}:9000/outpost.goauthentik.io/auth/nginx", True),
        ("http://[::1]:9000/outpost.goauthentik.io/auth/caddy", True),
        ("http://127.0.0.1:9001/outpost.goauthentik.io/auth/traefik", False),
        ("https://127.0.0.1:9000/outpost.goauthentik.io/auth/traefik", False),
        ("http://10.0.0.1:9000/outpost.goauthentik.io/auth/traefik", False),
        ("http://127.0.0.1:9000/outpost.goauthentik.io/start", False),
        ("http://127.0.0.1:9000/other", False),
    ],
)
def test_own_outpost_is_recognised(address: str, fused: bool) -> None:
    """A forwardAuth at our own outpost becomes a call; anything else stays a request."""
    result = compiled(
        http(
            "{app: {rule: 'Host(`a`)', service: app, middlewares: m, entryPoints: web}}",
            f"{{m: {{forwardAuth: {{address: '{address}'}}}}}}",
        )
    )

    (made,) = router(result, "app@file").middlewares
    assert isinstance(made, ForwardAuth)
    assert made.fused is fused
    assert made.trust_forward_header is None


def test_entry_point_on_one_address_is_not_every_loopback() -> None:
    """Another program may own the same port on another loopback address."""
    static = STATIC.replace("entryPoints:", "entryPoints:\n  identity: {address: '127.0.0.2:9000'}")
    result = compiled(
        http(
            "{app: {rule: 'Host(`a`)', service: app, middlewares: m, entryPoints: web}}",
            "{m: {forwardAuth: {address: 'http://127.0.0.1:9000/outpost.goauthentik.io/auth/traefik'}}}",
        ),
        static,
    )

    (made,) = router(result, "app@file").middlewares
    assert isinstance(made, ForwardAuth)
    assert not made.fused


@pytest.mark.parametrize("option", ["maxBodySize", "maxResponseBodySize"])
def test_unlimited_bodies_are_refused(option: str) -> None:
    """Traefik's -1 would let anybody fill our memory."""  # S-304
    with pytest.raises(ConfigurationError, match=option):
        compiled(http("{}", f"{{m: {{forwardAuth: {{address: 'http://a', {option}: -1}}}}}}"))


def test_unknown_middleware_option_names_the_nearest() -> None:
    """A misspelt security option is an error, never ignored."""  # S-716
    with pytest.raises(ConfigurationError, match="did you mean 'authResponseHeaders'"):
        compiled(http("{}", "{m: {forwardAuth: {address: 'http://a', authResponseHeader: [X]}}}"))


@pytest.mark.parametrize("kind", ["basicAuth", "rateLimit", "ipAllowList", "plugin"])
def test_other_middlewares_are_known_by_name(kind: str) -> None:
    """A middleware of Traefik that we do not have says so."""
    with pytest.raises(ConfigurationError, match=f"middlewares.m.{kind}: Traefik has this option, Doorward does not"):
        compiled(http("{}", f"{{m: {{{kind}: {{}}}}}}"))


def test_header_values_cannot_break_lines() -> None:
    """A line break in a configured header value is refused at load."""  # S-045, S-706
    with pytest.raises(ConfigurationError, match="line breaks"):
        compiled(http("{}", '{m: {headers: {customRequestHeaders: {X: "a\\r\\nY: b"}}}}'))


def test_values_keep_their_types() -> None:
    """Numbers and booleans without quotes are taken as they are written."""
    result = compiled(
        http(
            "{app: {rule: 'Host(`a`)', service: app, middlewares: [m, n], entryPoints: web}}",
            "{m: {headers: {customRequestHeaders: {X-Port: 8080, X-On: true, X-Gone: ''}, stsSeconds: '60'}}, "
            "n: {stripPrefix: {prefixes: ['/a', '/b']}}}",
        )
    )

    headers, strip = router(result, "app@file").middlewares
    assert isinstance(headers, Headers)
    assert headers.custom_request_headers == (("X-Port", "8080"), ("X-On", "true"), ("X-Gone", ""))
    assert headers.sts_seconds == 60
    assert isinstance(strip, StripPrefix)
    assert strip.prefixes == ("/a", "/b")


def test_servers_without_weight_are_left_out() -> None:
    """Weight 0 takes a server out of service."""
    result = compiled(
        "http: {services: {app: {loadBalancer: {servers: ["
        "{url: 'http://a', weight: 0}, {url: 'http://b', weight: 3}]}}}}"
    )

    service = result.table.services["app@file"]
    assert isinstance(service, LoadBalancer)
    assert [(server.url, server.weight) for server in service.servers] == [("http://b", 3)]
