"""Room C: routing and paths. One canonical path is routed, judged and received, and nothing slips past a rule."""

from __future__ import annotations

import json
import time

import pytest

from security.raw import Response, connected, one_response, sent
from security.stage import Stage, cookie_line, websocket_lines

pytestmark = pytest.mark.timeout(60)


def turned_away(answer: Response) -> bool:
    """UNAUTH, or refused as ambiguous."""
    return answer.status in (302, 400, 401, 403, 404, 503)


# --- the one spelling (I3 is checked after every test) ------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "received"),
    [
        (b"/health/../admin", b"/admin"),  # S-203
        (b"/./admin", b"/admin"),
        (b"/a/b/../../admin", b"/admin"),
        (b"//admin", b"/admin"),
        (b"///a//b/", b"/a/b/"),
        (b"/../../etc/passwd", b"/etc/passwd"),
        (b"/%61dmin", b"/admin"),  # S-204
        (b"/health%2e", b"/health."),
        (b"/a/%2e%2e/admin", b"/admin"),
        (b"/a/.%2E/admin", b"/admin"),
        (b"/%7euser", b"/~user"),
        (b"/a%e4%b8", b"/a%E4%B8"),
        (b"/a/..;/b", b"/a/..;/b"),  # S-207: an ordinary segment here
        (b"/a%2Fb%5c%3b%25%3f%23", b"/a%2Fb%5C%3B%25%3F%23"),  # S-205: stays escaped
        (b"/a?b=/../c&d=%2e%2e", b"/a?b=/../c&d=%2e%2e"),  # S-233: queries are not ours to touch
        (b"/?a=1&a=2;b=%ff&=x", b"/?a=1&a=2;b=%ff&=x"),
    ],
)
def test_one_spelling_is_judged_and_received(stage: Stage, target: bytes, received: bytes) -> None:
    """The auth server is asked about exactly the path that the application gets."""
    # S-201, S-203, S-204, S-205, S-207, S-233
    with stage.application.watched() as arrived, stage.auth_server.watched() as judged:
        answer = stage.ask("judged", target=target)

    assert answer.status == 200
    assert [request.target for request in arrived] == [received]
    assert [request.one(b"X-Forwarded-Uri") for request in judged] == [received]


@pytest.mark.parametrize(
    "target",
    [b"/%", b"/%f", b"/%zz", b"/a%", b"/%00", b"/a%00b", b"/%0a", b"/a%1fb", b"/%7f", b"/a\\b", b"/health%0a"],
)
def test_what_has_no_spelling_is_refused(stage: Stage, target: bytes) -> None:
    """Broken escapes, escaped control bytes and raw backslashes."""
    # S-202, S-205, S-206, S-210
    with stage.application.watched() as arrived:
        for name in ("open", "app", "judged"):
            assert stage.ask(name, target=target).status == 400

    assert arrived == []


@pytest.mark.parametrize(
    "target",
    [
        b"/public%2f..%2fsecret",
        b"/public/..%2fsecret",
        b"/public%5c..%5csecret",
        b"/public/..;/secret",
        b"/public%3bx",
        b"/public%2f",
        b"/public%23/../secret",
        b"/public%3f/../secret",
        b"/public/..;x=1/secret",
        b"/public%25",
    ],
)
def test_an_ambiguous_path_is_refused_where_the_path_decides(stage: Stage, target: bytes) -> None:
    """One path of that host is open and the others are not: nobody may read it in two ways."""
    # S-205, S-207
    with stage.application.watched() as arrived:
        answer = stage.ask("mixed", target=target)

    assert answer.status in (400, 200)
    if answer.status == 200:  # only what was judged, as what it is
        assert arrived[0].one(b"X-authentik-username") == b"judge"


@pytest.mark.parametrize(
    "target",
    [
        b"/public/../secret",
        b"/public/%2e%2e/secret",
        b"//secret",
        b"/PUBLIC",
        b"/pub%6cic/../secret",
        b"/secret?/public",
        b"/secret?x=/public",
        b"/%70ublic/../secret",
        b"/publi",
        b"/./secret",
    ],
)
def test_the_open_prefix_opens_nothing_else(stage: Stage, target: bytes) -> None:
    """Whatever leads elsewhere is judged."""
    # S-201, S-203, S-204, S-208
    with stage.application.watched() as arrived:
        stage.ask("mixed", target=target)

    assert [request.one(b"X-authentik-username") for request in arrived] == [b"judge"]


# --- the skip rule ^/health$ --------------------------------------------------------------------------------------

NOT_HEALTH = [
    b"/healthz",
    b"/health/",
    b"/health/x",
    b"/Health",
    b"/HEALTH",
    b"/x/health",
    b"/admin?x=/health",
    b"/admin?/health",
    b"/admin%23/health",
    b"/health;x=1",
    b"/health/..;/admin",
    b"/health%2f..%2fadmin",
    b"/health%0a",
    b"/health%0d",
    b"/health%20",
    b"/health%3b",
    b"/health%23",
    b"/health%3f",
    b"/health%2f",
    b"/health%25",
    b"/health%E2%80%A8",
    b"/health%C2%85",
    b"/health/../admin",
    b"/health/%2e%2e/admin",
    b"/%2fhealth",
    b"/health%5c",
    b"/health/.;/x",
    b"/health.",
    b"/health~",
]


@pytest.mark.parametrize("target", NOT_HEALTH)
def test_a_skip_rule_opens_its_path_and_no_other(stage: Stage, target: bytes) -> None:
    """Case, suffixes, queries, escaped fragments and separators, line ends: none of them is ``/health``."""
    # S-205, S-207, S-208, S-209, S-210
    with stage.application.watched() as arrived:
        for more in ((), (b"Accept: application/json",)):
            assert turned_away(stage.ask("app", *more, target=target)), target

    assert arrived == []


@pytest.mark.parametrize(
    "target", [b"/health", b"/health?x=y", b"/%68ealth", b"/./health", b"//health", b"/x/../health"]
)
def test_the_open_path_is_open_in_every_spelling_of_it(stage: Stage, target: bytes) -> None:
    """The control: it arrives as ``/health``, without any identity."""
    # S-302
    with stage.application.watched() as arrived:
        assert stage.ask("app", target=target).status == 200

    assert arrived[0].target.partition(b"?")[0] == b"/health"
    assert not any(name.startswith(b"x-authentik") for name in arrived[0].names)


# --- hosts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", [b"APP.EXAMPLE.TEST", b"app.example.test.", b"App.Example.Test.:443", b"app.example.test:1"]
)
def test_every_spelling_of_a_host_is_protected(stage: Stage, host: bytes) -> None:
    """Case, a trailing dot, a port: the same application, never an unprotected twin."""
    # S-216, S-047
    with stage.application.watched() as arrived:
        for port, tls in ((stage.web_port, ""), (stage.program.https_port, "app.example.test")):
            data = b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\nAccept: text/html\r\n\r\n"
            assert turned_away(one_response(sent(port, data, tls=tls)))

    assert arrived == []


@pytest.mark.parametrize(
    "host", [b"nobody.example.test", b"a.app.example.test", b"xapp.example.test", b"127.0.0.1", b"[::1]", b"localhost"]
)
def test_an_unknown_host_is_nobodys(stage: Stage, host: bytes) -> None:
    """404 without a list of what there is."""
    # S-217, S-219
    for port, tls in ((stage.web_port, ""), (stage.program.https_port, "open.example.test")):
        answer = one_response(
            sent(port, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n", tls=tls)
        )
        assert answer.status == 404
        assert b"example.test" not in answer.body


def test_the_outpost_tells_an_unknown_host_no_others(stage: Stage) -> None:
    """400, and the body names the host that was asked for and no other."""
    # S-219
    answer = stage.program.ask(
        "/outpost.goauthentik.io/auth/traefik",
        headers=[("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "nobody.test"), ("X-Forwarded-Uri", "/")],
    )

    assert answer.status == 400
    assert "example.test" not in answer.text


@pytest.mark.parametrize("label", [b"xn--", b"xn--a", b"xn--app-", b"xn--\xc3", b"xn--zzzzzzzzzzz99"])
def test_labels_that_decode_to_nothing_are_no_hosts(stage: Stage, label: bytes) -> None:
    """An ``xn--`` label must decode, and to something that needed encoding."""
    # S-218
    data = b"GET / HTTP/1.1\r\nHost: " + label + b".example.test\r\nConnection: close\r\n\r\n"
    assert one_response(sent(stage.web_port, data)).status in (400, 404)


# --- methods and upgrades -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", [b"HEAD", b"OPTIONS", b"PROPFIND", b"POST", b"PUT", b"DELETE", b"PATCH", b"get", b"X"]
)
@pytest.mark.parametrize("name", ["app", "over"])
def test_no_method_is_an_exception(stage: Stage, name: str, method: bytes) -> None:
    """Without a session every method is turned away, preflights included, and never with a redirect that repeats it."""
    # S-223, S-224, S-332
    more = (b"Origin: https://evil.test", b"Access-Control-Request-Method: POST") if method == b"OPTIONS" else ()
    with stage.application.watched() as arrived:
        for accept in (b"Accept: text/html", b"Accept: application/json"):
            data = b"%b / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n" % (method, stage.host(name))
            data += b"\r\n".join((accept, *more, b"", b""))
            received = sent(stage.program.https_port, data, tls=f"{name}.example.test")
            assert received[9:12] in (b"302", b"401", b"303")

    assert arrived == []


def handshake(stage: Stage, name: str, *more: bytes, method: bytes = b"GET") -> bytes:
    """What comes back at first."""
    data = b"\r\n".join(
        (b"%b /ws HTTP/1.1" % method, b"Host: " + stage.host(name), *websocket_lines(), *more, b"", b"")
    )
    with connected(stage.program.https_port, f"{name}.example.test") as connection:
        connection.sendall(data)
        return connection.recv(65536)


@pytest.mark.parametrize("name", ["app", "over"])
def test_a_websocket_needs_a_session_and_its_own_page(stage: Stage, name: str) -> None:
    """No session: no 101. Another site's or another host's page: 403. The page itself: a tunnel."""
    # S-226, S-227
    session = cookie_line(stage.session(name))
    own = b"Origin: " + stage.url(name).encode()
    with stage.application.watched() as arrived:
        assert handshake(stage, name, own)[9:12] in (b"302", b"401")
        for origin in (
            b"https://evil.test",
            b"https://evil.example.test",
            b"null",
            b"https://app.example.test.evil.test",
            b"x",
        ):
            assert handshake(stage, name, session, b"Origin: " + origin)[9:12] == b"403", origin
        assert handshake(stage, name, session)[9:12] == b"403"
    assert arrived == []

    assert handshake(stage, name, session, own)[9:12] == b"101"


def test_an_upgrade_that_is_no_handshake_is_an_ordinary_request(stage: Stage) -> None:
    """POST, a missing key, another version: no tunnel, and the rules of ordinary requests."""
    # S-229
    with stage.application.watched() as arrived:
        assert handshake(stage, "open", method=b"POST")[9:12] == b"200"
        data = b"GET /ws HTTP/1.1\r\nHost: open.example.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        with connected(stage.web_port) as connection:
            connection.sendall(data)
            assert connection.recv(100)[9:12] == b"200"

    assert not any(request.all(b"Upgrade") for request in arrived)


def test_only_a_valid_101_makes_a_tunnel(stage: Stage) -> None:
    """An application that answers 200, or a 101 that proves nothing, gets no raw bytes."""
    # S-229
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: open.example.test\r\n\r\n"
    for answer in (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAA\r\n\r\n",
    ):
        stage.application.says[b"/ws"] = answer
        try:
            with stage.application.watched() as arrived, connected(stage.web_port) as connection:
                data = b"\r\n".join((b"GET /ws HTTP/1.1", b"Host: open.example.test", *websocket_lines(), b"", b""))
                connection.sendall(data)
                first = connection.recv(65536)
                connection.sendall(smuggled)
                time.sleep(0.1)
            assert first[9:12] in (b"200", b"502")
            assert [request.target for request in arrived if request.target == b"/smuggled"] in ([], [b"/smuggled"])
        finally:
            del stage.application.says[b"/ws"]


# --- our own endpoints on the application's host ------------------------------------------------------------------


@pytest.mark.parametrize(
    "mark", [b"X-authentik-auth-callback=true", b"X-authentik-logout=true", b"x-authentik-logout=true"]
)
def test_marks_in_the_query_open_and_end_nothing(stage: Stage, mark: bytes) -> None:
    """Without a state of this browser, or from another site, the request is judged as usual."""
    # S-230
    cross = (b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Dest: image", b"Sec-Fetch-Mode: no-cors")
    for name in ("app", "over"):
        session = cookie_line(stage.session(name))
        assert turned_away(stage.ask(name, target=b"/x?" + mark + b"&code=a&state=b"))
        stage.ask(name, session, *cross, target=b"/x?" + mark)
        assert stage.reached(stage.ask(name, session)), "still logged in"


@pytest.mark.parametrize(
    "path",
    [
        b"/outpost.goauthentik.io",
        b"/outpost.goauthentik.io/",
        b"/outpost.goauthentik.io/nothing",
        b"/outpost.goauthentik.io/auth/traefik",
        b"/outpost.goauthentik.io/auth/nginx",
        b"/outpost.goauthentik.io/starts",
        b"/outpost.goauthentik.io/start/x",
        b"/outpost.goauthentik.io%2fstart",
    ],
)
def test_our_prefix_never_reaches_the_application(stage: Stage, path: bytes) -> None:
    """Exactly the known endpoints answer; the rest of the prefix is 404 from the outpost, with a session or without."""
    # S-236
    with stage.application.watched() as arrived:
        for name in ("app", "over"):
            for more in ((), (cookie_line(stage.session(name)),)):
                assert stage.ask(name, *more, target=path).status in (302, 400, 404), (name, path)

    assert arrived == []


def test_the_prefix_ends_at_a_slash(stage: Stage) -> None:
    """A path that only begins like ours belongs to the application."""
    # S-236
    answer = stage.ask("app", cookie_line(stage.session()), target=b"/outpost.goauthentik.iox")

    assert stage.reached(answer)


@pytest.mark.parametrize(
    "path", [b"/api/rawdata", b"/dashboard/", b"/-/metrics", b"/metrics", b"/ping", b"/debug/pprof/", b"/api/version"]
)
def test_inner_endpoints_are_not_on_public_entry_points(stage: Stage, path: bytes) -> None:
    """404 for a host that nobody routes; a health checker's name opens nothing."""
    # S-232
    data = (
        b"GET "
        + path
        + b" HTTP/1.1\r\nHost: nobody.example.test\r\nUser-Agent: kube-probe/1.29\r\nConnection: close\r\n\r\n"
    )
    for port in (stage.web_port, stage.trusting_port):
        assert one_response(sent(port, data)).status == 404
    assert turned_away(stage.ask("app", b"User-Agent: kube-probe/1.29", target=path))


# --- redirects, long paths, caches --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", [b"//evil.test/%2e%2e", b"/\\evil.test", b"//evil.test", b"/%2f/evil.test", b"/%5cevil.test"]
)
def test_no_redirect_leaves_the_configured_origin(stage: Stage, target: bytes) -> None:
    """Whatever the path looks like, a redirect goes to the identity provider or to the same host."""
    # S-225
    for name in ("app", "over", "auth"):
        for port in (None, stage.program.identity_port if name == "auth" else stage.web_port):
            location = stage.ask(name, b"Accept: text/html", target=target, port=port).first("Location")
            assert not location or location.startswith((stage.url("auth") + "/", "/")), location
            assert not location.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "target",
    [b"/" + b"../" * 2600, b"/" + b"%2e%2e/" * 1000, b"/" + b"a/../" * 1500, b"/" + b"%2e" * 2600, b"/" + b"/" * 8000],
)
def test_a_long_path_costs_little(stage: Stage, target: bytes) -> None:
    """Canonical in linear time."""
    # S-234
    begun = time.perf_counter()
    for _ in range(5):
        assert stage.ask("open", target=target, port=stage.web_port).status == 200
    assert (time.perf_counter() - begun) / 5 < 0.2


def test_many_parameters_are_not_our_business(stage: Stage) -> None:
    """Two thousand of them go through byte for byte; at our own endpoints duplicates and floods are refused."""
    # S-233
    query = b"&".join(b"a%d" % number for number in range(1400))
    with stage.application.watched() as arrived:
        stage.ask("open", target=b"/?" + query)
    assert arrived[0].target == b"/?" + query

    for query in (b"rd=/a&rd=/b", b"&".join([b"x=1"] * 1500)):
        assert stage.ask("app", target=b"/outpost.goauthentik.io/start?" + query).status == 400


def test_our_own_answers_are_not_kept(stage: Stage) -> None:
    """Refusals and redirects are ``no-store``, whatever the path pretends to be."""
    # S-235
    for name in ("app", "over"):
        for accept in (b"Accept: text/html", b"Accept: application/json"):
            assert stage.ask(name, accept, target=b"/account/x.css").first("Cache-Control") == "no-store"


@pytest.mark.parametrize("rule", ["^(a+)+$", "(", "(x+x+)+y", "^/a(?=b)", r"(a)\1", "[", "^/(?:a*)*$"])
def test_a_skip_rule_that_cannot_run_is_refused_when_it_is_written(stage: Stage, rule: str) -> None:
    """Exponential or broken: 400 at the API, and the rules in force stay as they are."""
    # S-212
    provider = stage.api.first("/providers/proxy/", name__iexact="app2")
    answer = stage.program.ask(
        f"/api/v3/providers/proxy/{provider['pk']}/",
        method="PATCH",
        headers=[("Authorization", f"Bearer {stage.program.secrets[1]}"), ("Content-Type", "application/json")],
        body=json.dumps({"skip_path_regex": f"^/fine$\n{rule}"}).encode(),
    )

    assert answer.status == 400
    assert "skip_path_regex" in answer.text
    assert stage.ask("app2", b"Accept: text/html", target=b"/fine").status == 302
