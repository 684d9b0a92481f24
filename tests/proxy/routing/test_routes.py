"""Which router answers: hosts, paths, methods, order, and what happens to a router that cannot be built."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.messages import routing as messages
from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.routing import All, Any, Host, Method, Not, Path, PathPrefix
from doorward.proxy import routing
from doorward.proxy.ports import ForwardAuthority
from doorward.proxy.routing import Routes, routing_path
from doorward.proxy.rule_tests import decide_host
from doorward.wire.http1.errors import Rejected
from doorward.wire.path import canonical_path
from proxy.made import admitted

SERVICES: dict[str, messages.Service] = {"app@file": messages.LoadBalancer("app@file", ())}
PROTECTED = messages.ForwardAuth("auth@file", "http://auth.test/verify")


class Nobody:
    def still(self, answer: HttpAnswer, path: bytes, query: bytes | None) -> bool:
        return False

    def regards(self, name: bytes) -> bool:
        return True

    def ask(self, question: HttpQuestion) -> HttpAnswer:
        return HttpAnswer(401)


@dataclass
class Bench:
    """A workshop whose services are their names."""

    fails: str = ""

    def authority(self, middleware: messages.ForwardAuth) -> ForwardAuthority:
        if self.fails == "authority":
            raise ValueError("no such CA")
        return Nobody()

    def service(self, service: messages.Service, part: Callable[[str], object]) -> object:
        if self.fails == "service":
            raise ValueError("no such server")
        return service.name


def router(
    name: str, rule: messages.Rule, *middlewares: messages.Middleware, tls: bool = False, **more: str
) -> messages.Router:
    return messages.Router(
        name, ("web",), rule, name, 1, middlewares, more.get("service", "app@file"), tls, more.get("broken", "")
    )


def build(*routers: messages.Router, fails: str = "") -> Routes:
    return Routes.build(messages.RoutingTable(1, routers, SERVICES), Bench(fails))


def matched(
    routes: Routes, host: str = "app.example.test", target: str = "/", method: str = "GET", tls: bool = False
) -> str | None:
    request = admitted(target=target.encode(), method=method.encode(), host=(b"Host", host.encode()), tls=tls)
    route = routes.match(request)
    return route.name if route is not None else None


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("app.example.test", "app"),
        ("APP.EXAMPLE.TEST", "app"),
        ("app.example.test.", "app"),
        ("app.example.test:443", "app"),
        ("x.wild.test", "wild"),
        ("a.b.wild.test", None),
        ("wild.test", None),
        ("xn--bcher-kva.example.test", "idn"),
        ("evil.test", None),
    ],
)
def test_hosts(host: str, found: str | None) -> None:
    """A host is its name: case, port and a last dot make no difference; a wildcard is one label."""  # S-216 S-217
    routes = build(
        router("app", Host("app.example.test")),
        router("wild", Host("*.wild.test")),
        router("idn", Host("xn--bcher-kva.example.test")),
    )

    assert matched(routes, host) == found


@pytest.mark.parametrize(
    ("rule", "target", "matches"),
    [
        (Path("/foo bar"), "/foo%20bar", True),
        (Path("/é"), "/%C3%A9", True),
        (Path("/a"), "/a/", False),
        (Path("/a"), "/%61", True),
        (Path("/a"), "/A", False),
        (Path("/a"), "/a?b", True),
        (PathPrefix("/foo/bar"), "/foo/barbaz", True),
        (PathPrefix("/v1"), "/v12", True),
        (PathPrefix("/foo/bar"), "/foo%2Fbar", False),
        (PathPrefix("/foo%2Fbar"), "/foo%2fbar", True),
        (PathPrefix("/admin"), "/x/../admin", True),
        (PathPrefix("/admin"), "//admin", True),
        (PathPrefix("/a{b"), "/a%7Bb", True),
    ],
)
def test_paths(rule: messages.Rule, target: str, matches: bool) -> None:
    """Paths are compared decoded, except that an escaped reserved byte stays what it is."""
    assert (matched(build(router("r", rule)), target=target) == "r") is matches


def test_methods_are_compared_as_sent() -> None:
    """GET is not get."""
    routes = build(router("r", Method("GET")))

    assert matched(routes) == "r"
    assert matched(routes, method="get") is None


def test_plain_and_tls_live_side_by_side() -> None:
    """A TLS router answers only TLS, a plain one only plain."""
    routes = build(router("secure", Host("app.example.test"), tls=True), router("plain", PathPrefix("/")))

    assert matched(routes) == "plain"
    assert matched(routes, tls=True) == "secure"
    assert matched(routes, "other.test", tls=True) is None


def test_the_first_that_matches_answers() -> None:
    """The table's order is the order of trying; there is no falling through afterwards."""
    routes = build(
        router("api", All((Host("app.example.test"), PathPrefix("/api")))),
        router("app", Host("app.example.test")),
        router("all", PathPrefix("/")),
    )

    assert matched(routes, target="/api/x") == "api"
    assert matched(routes, target="/") == "app"
    assert matched(routes, "other.test") == "all"


def test_broken_router_keeps_its_match() -> None:
    """A catch-all never answers for a router that cannot be built."""  # S-220
    routes = build(
        router("app", Host("app.example.test"), broken="the middleware is missing"), router("all", PathPrefix("/"))
    )
    route = routes.match(admitted())

    assert route is not None
    assert (route.name, route.broken, route.middlewares) == ("app", "the middleware is missing", ())


@pytest.mark.parametrize(
    ("fails", "service", "reason"),
    [
        ("authority", "app@file", "the middleware 'auth@file' cannot be built: no such CA"),
        ("service", "app@file", "the service 'app@file' cannot be built: no such server"),
        ("", "gone@file", "the service 'gone@file' does not exist"),
    ],
)
def test_what_cannot_be_made_breaks_its_router(fails: str, service: str, reason: str) -> None:
    """Whatever fails while the table is built closes the routers that need it, and no other."""  # S-220
    routes = build(router("app", Host("app.example.test"), PROTECTED, service=service), fails=fails)
    route = routes.match(admitted())

    assert route is not None
    assert route.broken == reason


def test_bad_expression_in_a_table_closes_its_router() -> None:
    """A pattern that the control side let through and the worker cannot run does not open anything."""  # S-704
    auth = messages.ForwardAuth("auth@file", "http://a", auth_response_headers_regex="(a+)+")
    route = build(router("app", Host("app.example.test"), auth)).match(admitted())

    assert route is not None
    assert "cannot be built" in route.broken


@pytest.mark.parametrize(
    "target", ["/a%2Fb", "/a%5Cb", "/a%3Bb", "/a%25b", "/a%3Fb", "/a%23b", "/health/..;/admin", "/x/.;/y"]
)
def test_ambiguous_paths_are_refused_where_the_path_decides(target: str) -> None:
    """Where one path is protected and another is not, nobody may disagree about the path."""  # S-205, S-207
    routes = build(
        router("open", All((Host("app.example.test"), PathPrefix("/health")))),
        router("app", Host("app.example.test"), PROTECTED),
    )

    with pytest.raises(Rejected) as caught:
        matched(routes, target=target)
    assert (caught.value.status, caught.value.reason) == (400, "encoded_char")
    assert matched(routes, target="/a%20b") == "app"


def test_ambiguous_paths_pass_where_it_does_not_matter() -> None:
    """A host that is protected as a whole takes them as data."""  # S-205
    routes = build(
        router("api", All((Host("app.example.test"), PathPrefix("/api"))), PROTECTED),
        router("app", Host("app.example.test"), PROTECTED),
        router("open", Host("open.example.test")),
    )

    assert matched(routes, target="/a%2Fb") == "app"
    assert matched(routes, "open.example.test", target="/a%2Fb") == "open"


def test_method_overrides_are_dropped_where_the_method_counts() -> None:
    """A POST cannot become a DELETE behind a rule that asks for POST."""  # S-122
    routes = build(router("r", Method("POST")), router("rest", PathPrefix("/")))
    request = admitted((b"X-HTTP-Method-Override", b"DELETE"), (b"X-Method", b"1"), method=b"POST")
    route = routes.match(request)
    assert route is not None
    for middleware in route.middlewares:
        assert middleware.enter(request) is None

    assert [name for name, _ in request.headers if name.startswith(b"X-") and b"ethod" in name] == [b"X-Method"]
    other = routes.match(admitted())
    assert other is not None
    assert other.middlewares == ()


def test_nothing_is_a_service() -> None:
    """``noop@internal`` needs no workshop; it is what a redirecting router stands on."""
    table = messages.RoutingTable(
        1,
        (router("r", PathPrefix("/"), service="noop@internal"),),
        {"noop@internal": messages.Internal("noop@internal")},
    )
    route = Routes.build(table, Bench(fails="service")).match(admitted())

    assert route is not None
    assert route.broken == ""


def test_identity_child_is_told_the_client_alone() -> None:
    """The identity provider gets one address, one scheme, one host, and no chain to interpret."""  # S-053, S-103
    table = messages.RoutingTable(
        1,
        (router("r", PathPrefix("/"), service="identity@internal"),),
        {"identity@internal": messages.LoadBalancer("identity@internal", ())},
    )
    request = admitted(
        (b"X-Forwarded-For", b"6.6.6.6, 203.0.113.5"),
        (b"X-Forwarded-Proto", b"https"),
        (b"X-Forwarded-Prefix", b"//evil.test"),  # S-118
        (b"Forwarded", b"host=evil.test"),
        trusted=["192.0.2.7"],
    )
    route = Routes.build(table, Bench()).match(request)
    assert route is not None
    for middleware in route.middlewares:
        assert middleware.enter(request) is None

    assert sorted(request.headers) == [
        (b"X-Forwarded-For", b"203.0.113.5"),
        (b"X-Forwarded-Host", b"app.example.test"),
        (b"X-Forwarded-Proto", b"https"),
    ]


def test_other_entry_points_have_other_routers() -> None:
    """A router answers on its entry points only."""  # S-232
    table = messages.RoutingTable(
        1, (messages.Router("r", ("other",), PathPrefix("/"), "r", 1, (), "app@file"),), SERVICES
    )

    assert Routes.build(table, Bench()).match(admitted()) is None


# --- the index against plain evaluation ------------------------------------------------------------------------

NAMES = ["a.test", "b.test", "*.test", "*.b.test", "x.b.test", ""]
LEAVES: st.SearchStrategy[messages.Rule] = st.one_of(
    st.sampled_from(NAMES).map(Host),
    st.sampled_from(["/", "/x", "/x/y"]).map(PathPrefix),
    st.sampled_from(["/", "/x"]).map(Path),
    st.sampled_from(["GET", "POST"]).map(Method),
)
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=1, max_size=3).map(lambda rules: All(tuple(rules))),
        st.lists(inner, min_size=1, max_size=3).map(lambda rules: Any(tuple(rules))),
    ),
    max_leaves=8,
)


def holds(rule: messages.Rule, host: str, path: str, method: str) -> bool:
    """What a rule means, said as plainly as possible."""
    match rule:
        case Host(name) if name.startswith("*."):
            label, dot, parent = host.partition(".")
            return bool(label and dot) and parent == name[2:]
        case Host(name):
            return host == name
        case Path(wanted):
            return path == wanted
        case PathPrefix(prefix):
            return path.startswith(prefix)
        case Method(verb):
            return method == verb
        case Not(inner):
            return not holds(inner, host, path, method)
        case All(rules):
            return all(holds(part, host, path, method) for part in rules)
        case Any(rules):
            return any(holds(part, host, path, method) for part in rules)
    raise AssertionError(rule)


@given(st.lists(RULES, min_size=1, max_size=4))
def test_index_means_what_the_rules_mean(rules: list[messages.Rule]) -> None:
    """Whatever is decided beforehand about hosts, the router found is the first whose rule holds."""
    routes = build(*(router(str(number), rule) for number, rule in enumerate(rules)))
    hosts = ["a.test", "b.test", "c.test", "x.b.test", "y.b.test", "z.y.b.test", "other", "1.2"]
    for host, path, method in itertools.product(hosts, ["/", "/x", "/x/y"], ["GET", "POST"]):
        expected = next((str(n) for n, rule in enumerate(rules) if holds(rule, host, path, method)), None)
        assert matched(routes, host, path, method) == expected


def test_request_without_a_host() -> None:
    """A request that names no host matches only what needs none."""
    assert decide_host(Host("a.test"), "") is False
    assert decide_host(Not(Host("")), "") is False
    assert decide_host(Not(Host("")), None) is True


@given(st.binary(max_size=30))
def test_routing_path_is_stable(raw: bytes) -> None:
    """Decoding for rules never makes a separator out of an escape."""
    escaped = b"/" + b"".join(b"%%%02X" % byte for byte in raw if byte >= 0x20 and byte != 0x7F)
    path = canonical_path(escaped)

    assert routing_path(path).count(b"/") == path.count(b"/")


def test_many_hosts_are_not_compared_with_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building a table takes as long as it is, so that ten thousand routers are in force within a second."""
    asked = 0

    def counting(rule: messages.Rule, name: str | None) -> messages.Rule | bool:
        nonlocal asked
        asked += 1
        return decide_host(rule, name)

    monkeypatch.setattr(routing, "decide_host", counting)
    hosts = [f"h{number}.example.test" for number in range(500)]
    routes = build(*(router(host, Host(host)) for host in hosts), router("rest", PathPrefix("/rest")))

    assert asked < 4 * len(hosts)
    assert (matched(routes, hosts[7]), matched(routes, hosts[7], "/rest")) == (hosts[7], hosts[7])
    assert (matched(routes, "other.test", "/rest"), matched(routes, "other.test")) == ("rest", None)
