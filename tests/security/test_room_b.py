"""Room B: forwarding and identity headers. Who may say who is asking, and from where."""

from __future__ import annotations

import re

import pytest

from peers.questions import ask
from security.raw import Response, one_response, sent
from security.stage import FORGED, Stage, cookie_line

pytestmark = pytest.mark.timeout(60)
FORGED_ADDRESS = b"6.6.6.6"

FORWARDING = (
    b"X-Forwarded-For",
    b"X-Forwarded-Host",
    b"X-Forwarded-Proto",
    b"X-Forwarded-Port",
    b"X-Forwarded-Server",
    b"X-Forwarded-Uri",
    b"X-Forwarded-Method",
    b"X-Forwarded-Prefix",
    b"X-Forwarded-Scheme",
    b"X-Forwarded-Ssl",
    b"X-Scheme",
    b"X-Real-Ip",
    b"Forwarded",
    b"X-Original-URL",
    b"X-Original-URI",
    b"X-Original-Method",
    b"X-Original-Host",
    b"X-Rewrite-URL",
    b"X-Forwarded-Tls-Client-Cert",
    b"X-Forwarded-Tls-Client-Cert-Info",
    b"X-Forwarded-Client-Cert",
    b"True-Client-Ip",
    b"X-Client-Ip",
    b"CF-Connecting-IP",
    b"Front-End-Https",
)
IDENTITY = tuple(
    b"X-authentik-" + name
    for name in (
        b"username",
        b"groups",
        b"entitlements",
        b"email",
        b"name",
        b"uid",
        b"jwt",
        b"meta-jwks",
        b"meta-outpost",
        b"meta-provider",
        b"meta-app",
        b"meta-version",
        b"anything",
    )
)


def lines(names: tuple[bytes, ...], value: bytes = b"forged") -> list[bytes]:
    return [name + b": " + value for name in names]


def spellings(name: bytes) -> list[bytes]:
    """The same name to one program or another."""
    text = name.decode()
    return [
        spelling.encode()
        for spelling in (
            text.lower(),
            text.upper(),
            text.replace("-", "_"),
            text.replace("-", "_", 1),
            text.replace("-", "."),
            text.replace("-", "_").upper(),
            text + "_",
            text.replace("-", "~", 1),
            "_" + text,
            text.replace("X-", "X_"),
        )
    ]


# --- what a client says about itself ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["open", "app", "over", "judged"])
def test_a_client_cannot_speak_for_anybody(stage: Stage, name: str) -> None:
    """None of the fields that forwarders set reaches the application or the auth server with a client's value."""
    # S-101, S-119, S-128
    session = () if name in ("open", "judged") else (cookie_line(stage.session(name)),)
    with stage.application.watched() as arrived, stage.auth_server.watched() as judged:
        stage.ask(name, *session, *lines(FORWARDING))
        stage.ask(name, *session, *[line.replace(b"-", b"_") for line in lines(FORWARDING)])
        stage.ask(
            name, *session, b"X-Forwarded-Proto: https", b"X-Forwarded-For: " + FORGED_ADDRESS, port=stage.web_port
        )

    assert arrived
    for request in (*arrived, *judged):
        for field, value in request.headers:
            assert FORGED.encode() not in value, field
            assert FORGED_ADDRESS not in value, field
        assert request.one(b"X-Forwarded-For") == b"127.0.0.1"
    if name != "open" and name != "judged":
        return  # over plain http the session's cookie does not count as proof of TLS, but the host is the same
    assert arrived[-1].one(b"X-Forwarded-Proto") == b"http"


def test_a_trusted_peer_speaks_for_its_client(stage: Stage) -> None:
    """From the listed proxy the fields are kept and the peer is appended; several lines are one list, in order."""
    # S-102
    with stage.application.watched() as arrived:
        stage.ask(
            "open",
            b"X-Forwarded-For: 1.2.3.4",
            b"X-Forwarded-Proto: https",
            b"X-Forwarded-For: 5.6.7.8",
            port=stage.trusting_port,
        )

    assert arrived[0].one(b"X-Forwarded-For") == b"1.2.3.4, 5.6.7.8, 127.0.0.1"
    assert arrived[0].one(b"X-Forwarded-Proto") == b"https"


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        (b"6.6.6.6, 7.7.7.7, 10.0.0.9", "7.7.7.7"),  # S-103: the rightmost that is not trusted
        (b"a", "127.0.0.1"),  # S-104: what is no address is nobody's
        (b"unknown", "127.0.0.1"),
        (b"", "127.0.0.1"),
        (b"," * 10_000, "127.0.0.1"),
        (b"6.6.6.6, junk", "127.0.0.1"),
        (b"::ffff:6.6.6.6", "6.6.6.6"),  # S-105: odd forms
        (b"[::1]:443", "127.0.0.1"),
        (b"010.0.0.1", "127.0.0.1"),
        (b"10.1", "127.0.0.1"),
        (b"6.6.6.6:80", "127.0.0.1"),
        (b"2001:db8::1%eth0", "2001:db8::1"),
    ],
)
def test_the_client_behind_a_chain_is_the_last_that_nobody_vouches_for(stage: Stage, chain: bytes, client: str) -> None:
    """Seen in the access log, where the client's address of each request stands."""
    # S-103, S-104, S-105
    target = b"/chain/" + str(abs(hash(chain))).encode()
    answer = stage.ask("open", b"X-Forwarded-For: " + chain, port=stage.trusting_port, target=target)

    assert stage.reached(answer)
    logged = _access_line(stage, target.decode())
    assert f'"ClientHost":"{client}"' in logged, logged


def _access_line(stage: Stage, path: str) -> str:
    import time

    for _ in range(60):
        for line in stage.program.output.read_text().splitlines():
            if f'"RequestPath":"{path}"' in line:
                return line
        time.sleep(0.05)
    raise AssertionError(f"no access log line for {path}")


def test_a_malformed_chain_is_no_way_past_the_password(stage: Stage) -> None:
    """The login page asks for the password whatever the forwarders are said to be."""
    # S-104, CVE-2024-47070
    for chain in ("a", "unknown", ",", "6.6.6.6, ", "%00"):
        visitor = stage.visitor()
        answer = visitor.get(f"{stage.url('auth')}/if/flow/default-authentication-flow/", ("X-Forwarded-For", chain))
        place, page = visitor.submit(
            f"{stage.url('auth')}/if/flow/default-authentication-flow/",
            answer,
            ("X-Forwarded-For", chain),
            uid_field="bob",
        )
        assert 'name="password"' in page.text, (chain, place)


@pytest.mark.parametrize(
    "listed",
    [
        b"X-Real-Ip, x-forwarded-for, X-Forwarded-Host, X-Forwarded-Proto",
        b"X-authentik-username, X-authentik-groups, x-authentik-uid, x-authentik-jwt",
        b"Cookie",
        b"Host",
        b"Content-Length, Transfer-Encoding",
    ],
)
def test_connection_removes_nothing_that_is_ours(stage: Stage, listed: bytes) -> None:
    """What the proxy and the outpost state arrives whatever a client lists in ``Connection``."""
    # S-106, S-107
    with stage.application.watched() as arrived:
        for name in ("app", "over"):
            number = len(arrived)
            data = b"GET /listed HTTP/1.1\r\nHost: " + stage.host(name) + b"\r\n" + cookie_line(stage.session(name))
            data += b"\r\nConnection: close, " + listed + b"\r\n\r\n"
            answer = one_response(sent(stage.program.https_port, data, tls=f"{name}.example.test"))
            assert answer.status in ((200,) if listed != b"Cookie" else (200, 302, 401)), number
    for request in arrived:
        assert request.one(b"X-Forwarded-Host") == request.one(b"Host")
        assert request.one(b"X-Forwarded-For") == request.one(b"X-Real-Ip") == b"127.0.0.1"
        assert request.one(b"X-authentik-username") == b"bob"
        assert request.one(b"X-authentik-groups") == b"staff"
        assert not request.all(b"Connection")


# --- who the user is ----------------------------------------------------------------------------------------------


def probes(stage: Stage, *more: bytes) -> list[tuple[str, Response]]:
    """A request with ``more`` to every kind of place: with a session, without, on the open path, on open hosts."""
    found = []
    for name in ("app", "app2", "over"):
        found.append((f"{name} with a session", stage.ask(name, cookie_line(stage.session(name)), *more)))
        found.append((f"{name} without", stage.ask(name, *more)))
    found.append(("skip path", stage.ask("app", *more, target=b"/health")))
    with_session = stage.ask("app", cookie_line(stage.session("app")), *more, target=b"/health")
    found.append(("skip path with a session", with_session))
    found.append(("open", stage.ask("open", *more)))
    found.append(("listed only in part", stage.ask("judged", *more)))
    found.append(("public", stage.ask("mixed", *more, target=b"/public")))
    found.append(("plain", stage.ask("open", *more, port=stage.web_port)))
    found.append(("trusted peer", stage.ask("open", *more, port=stage.trusting_port)))
    found.append(("trusted peer with a session", _on_trusting(stage, *more)))
    return found


def _on_trusting(stage: Stage, *more: bytes) -> Response:
    return stage.ask(
        "app", b"X-Forwarded-Proto: https", cookie_line(stage.session("app")), *more, port=stage.trusting_port
    )


def test_no_client_says_who_it_is(stage: Stage) -> None:
    """All identity names at once, everywhere: the application sees only what the outpost said."""
    # S-108, S-110
    with stage.application.watched() as arrived:
        answers = probes(stage, *lines(IDENTITY))

    for place, answer in answers:
        assert b"forged" not in answer.body, place
        assert answer.status in ((302, 401) if place.endswith("without") else (200,)), (place, answer.status)
    by_host = {request.host for request in arrived}
    assert {b"app.example.test", b"over.example.test", b"open.example.test"} <= by_host


def test_no_other_spelling_is_an_identity(stage: Stage) -> None:
    """Underscores, dots, tildes and case: names that an application would fold onto an identity field are deleted."""
    # S-109, S-108
    names = tuple(spelling for name in IDENTITY[:3] for spelling in spellings(name))
    for place, answer in probes(stage, *lines(names)):
        assert b"forged" not in answer.body, place


def test_aliases_are_deleted_before_routing(stage: Stage) -> None:
    """Any field name with a character besides letters, digits and dashes is gone."""
    # S-109
    answer = stage.ask("open", *lines((b"X_Anything", b"X.Anything", b"X!Anything", b"X~A", b"Content_Length", b"A_")))

    assert stage.reached(answer)
    assert b"forged" not in answer.body


def test_the_other_fields_that_applications_believe(stage: Stage) -> None:
    """httpoxy, and our own private field."""
    # S-121
    answer = stage.ask(
        "app", cookie_line(stage.session()), *lines((b"Proxy", b"X-Doorward-Session", b"x-doorward_session"))
    )

    assert stage.reached(answer)
    assert b"forged" not in answer.body


def test_the_private_field_names_nobodys_session(stage: Stage) -> None:
    """What the outpost tells the proxy in the same process never leaves it."""
    for name in ("app", "over", "judged"):
        session = (cookie_line(stage.session(name)),) if name != "judged" else ()
        assert b"doorward" not in stage.ask(name, *session).body.lower().replace(b"doorward/", b"")


def test_an_auth_answer_cannot_frame_the_request(stage: Stage) -> None:
    """Even fields that the middleware lists cannot replace framing, Host or hop-by-hop fields."""
    # S-111, S-112
    stage.auth_server.says[b"/auth"] = (
        b"HTTP/1.1 200 OK\r\nX-authentik-username: judge\r\nX-authentik-uid: 1\r\nX-authentik-groups: a\r\n"
        b"X-authentik-groups: b\r\nSet-Cookie: from=auth\r\nX-Other: forged\r\nContent-Length: 0\r\n\r\n"
    )
    try:
        with stage.application.watched() as arrived:
            answer = stage.ask("judged")
    finally:
        stage.auth_server.says[b"/auth"] = (
            b"HTTP/1.1 200 OK\r\nX-authentik-username: judge\r\nX-authentik-uid: 1\r\nContent-Length: 0\r\n\r\n"
        )

    assert arrived[0].all(b"X-authentik-groups") == [b"a", b"b"]
    assert not arrived[0].all(b"X-Other")
    assert answer.all("Set-Cookie") == []
    stage.application.requests.remove(arrived[0])  # two groups fields are what this auth server said


def test_what_the_auth_server_is_asked(stage: Stage) -> None:
    """A GET without a body and without anything about connections."""
    # S-123, S-226
    with stage.auth_server.watched() as judged:
        stage.ask(
            "judged",
            b"Content-Length: 5",
            b"TE: trailers",
            b"Keep-Alive: 5",
            method=b"POST",
            body=b"hello",
            target=b"/a?b=c",
        )

    [question] = judged
    assert question.method == b"GET"
    assert question.body == b""
    hop_by_hop = {b"content-length", b"transfer-encoding", b"expect", b"upgrade", b"connection", b"te", b"keep-alive"}
    assert not hop_by_hop & question.names
    assert question.one(b"X-Forwarded-Method") == b"POST"
    assert question.one(b"X-Forwarded-Uri") == b"/a?b=c"
    assert not question.all(b"User-Agent")


def test_the_application_does_not_get_our_cookies(stage: Stage) -> None:
    """They are taken out of ``Cookie``; the others stay as they were, and an empty field goes."""
    # S-125
    name, value = stage.session("app")
    with stage.application.watched() as arrived:
        stage.ask("app", f'Cookie: a=1;  b="2" ; {name}={value}; c'.encode())
        stage.ask("app", cookie_line((name, value)))

    assert arrived[0].one(b"Cookie") == b'a=1;  b="2" ; c'
    assert not arrived[1].all(b"Cookie")
    assert value.encode() not in b"".join(v for request in arrived for _, v in request.headers)


def test_the_application_cannot_set_our_cookie(stage: Stage) -> None:
    """Neither under the plain nor under a prefixed name."""
    # S-320
    name, _ = stage.session("app")
    stage.application.says[b"/sets"] = (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: mine=1\r\nSet-Cookie: %b=forged; Path=/\r\nset-cookie:  __Host-%b=forged\r\n"
        b"Content-Length: 2\r\n\r\nok" % (name.encode(), name.encode())
    )
    for host in ("app", "over"):
        answer = stage.ask(host, cookie_line(stage.session(host)), target=b"/sets")
        assert answer.all("Set-Cookie") == ["mine=1"]


# --- names and addresses at the identity provider -----------------------------------------------------------------

LYING = (
    ("X-Forwarded-Host", "evil.test"),
    ("X-Forwarded-Proto", "http"),
    ("Forwarded", "host=evil.test;proto=http"),
    ("X-Forwarded-Port", "1"),
    ("X-Original-URL", "/evil"),
    ("X-Rewrite-URL", "/evil"),
    ("X-Forwarded-Prefix", "//evil.test"),
    ("X-Forwarded-Scheme", "http"),
)
PAGES = (
    "/if/flow/default-authentication-flow/",
    "/flows/-/default/authentication/?next=/if/user/",
    "/application/o/app/.well-known/openid-configuration",
    "/application/o/app/jwks/",
    "/application/o/app/end-session/",
    "/api/v3/root/config/",
    "/api/v3/core/brands/current/",
    "/",
)


@pytest.mark.parametrize("port", ["websecure", "web", "identity"])
def test_nothing_that_is_derived_from_a_host_can_be_anybody_elses(stage: Stage, port: str) -> None:
    """Redirects, issuer and links name the configured URL, whatever the request claims."""
    # S-117, S-118, S-237, S-445
    numbers = {"websecure": None, "web": stage.web_port, "identity": stage.program.identity_port}
    for page in PAGES:
        more = [f"{name}: {value}".encode() for name, value in LYING] if port != "identity" else []
        more += [b"X-Original-URL: /evil", b"X-Forwarded-Prefix: //evil.test", b"X-Forwarded-Scheme: http"]
        answer = stage.ask("auth", b"Accept: text/html", *more, target=page.encode(), port=numbers[port])
        assert answer.status < 500, (page, answer.status)
        assert b"evil" not in answer.body, page
        assert not any("evil" in value for _, value in answer.headers), (page, answer.headers)
        location = answer.first("Location")
        assert not location or location.startswith(("/", stage.url("auth") + "/")), (page, location)
        assert not location.startswith("//")


@pytest.mark.parametrize(
    "host", [b"evil.test", b"evil.test:9000", b"auth.example.test.evil.test", b"xauth.example.test"]
)
def test_a_name_that_is_not_ours_is_unknown(stage: Stage, host: bytes) -> None:
    """404 at the proxy; at the identity entry point too, and it is never believed."""
    # S-117, S-219, S-225
    for port in (stage.web_port, stage.program.identity_port):
        answer = one_response(
            sent(
                port,
                b"GET /if/flow/default-authentication-flow/ HTTP/1.1\r\nHost: "
                + host
                + b"\r\nConnection: close\r\n\r\n",
            )
        )
        assert answer.status == 404
        assert b"evil" not in answer.body


def test_the_same_bytes_whatever_a_cache_might_be_poisoned_with(stage: Stage) -> None:
    """Pages that look cacheable do not depend on fields that nobody checks."""

    # S-237
    def stable(answer: Response) -> bytes:
        return re.sub(rb'[A-Za-z0-9]{64}|[0-9a-f]{32}|value="[^"]*"', b"", answer.body)

    for page in (
        b"/application/o/app/.well-known/openid-configuration",
        b"/static/doorward.css",
        b"/application/o/app/jwks/",
    ):
        plain = stage.ask("auth", target=page)
        assert plain.status == 200
        odd = stage.ask(
            "auth", *[f"{name}: {value}".encode() for name, value in LYING], b"Accept-Language: x" * 1, target=page
        )
        assert stable(odd) == stable(plain)
    for name in ("app", "over"):
        assert stage.ask(name, b"Accept: text/html").first("Cache-Control") == "no-store"


# --- asking the outpost directly ----------------------------------------------------------------------------------


def auth(stage: Stage, dialect: str, *headers: tuple[str, str]) -> int:
    return ask(f"{stage.program.plain}/outpost.goauthentik.io/auth/{dialect}", headers=list(headers)).status


def test_each_dialect_reads_its_own_fields_only(stage: Stage) -> None:
    """Fields that another proxy would set are a client's to send: they decide nothing."""
    # S-120
    https = f"app.example.test:{stage.program.https_port}"
    forwarded = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", https), ("X-Forwarded-Uri", "/secret")]
    for lie in (
        ("X-Original-URI", "/outpost.goauthentik.io/x"),
        ("X-Original-URI", "/health"),
        ("X-Original-URL", f"https://{https}/health"),
        ("X-Rewrite-URL", "/health"),
        ("Forwarded", "host=open.example.test"),
        ("X-Forwarded-Prefix", "/health"),
    ):
        assert auth(stage, "traefik", *forwarded, lie) in (302, 401), lie
        assert auth(stage, "caddy", *forwarded, lie) in (302, 401), lie
    original = ("X-Original-URL", f"https://{https}/secret")
    for lie in (
        ("X-Original-URI", "/outpost.goauthentik.io/start"),
        ("X-Original-URI", "/health"),
        ("X-Forwarded-Uri", "/health"),
        ("X-Forwarded-Host", "open.example.test"),
    ):
        assert auth(stage, "nginx", ("Host", https), original, lie) == 401, lie


@pytest.mark.parametrize("name", ["X-Forwarded-Uri", "X-Forwarded-Host", "X-Forwarded-Proto"])
def test_a_field_that_comes_twice_is_no_answer(stage: Stage, name: str) -> None:
    """A client's copy beside the proxy's: nobody can be judged by one and served by the other."""
    # S-120
    https = f"app.example.test:{stage.program.https_port}"
    values = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": https, "X-Forwarded-Uri": "/secret"}
    for extra in ("/health", "open.example.test", "http"):
        for first in (True, False):
            pairs = list(values.items())
            pairs.insert(0 if first else len(pairs), (name, extra))
            assert auth(stage, "traefik", *pairs) not in range(200, 300), (name, extra, first)


def test_no_path_prefix_makes_a_yes(stage: Stage) -> None:
    """Paths that begin like ours, in any spelling, are judged."""
    # S-120, S-236, GHSA-5wcc-hf24-rf5h
    https = f"app.example.test:{stage.program.https_port}"
    for path in (
        "/outpost.goauthentik.io",
        "/outpost.goauthentik.io/",
        "/outpost.goauthentik.io/x",
        "/outpost.goauthentik.iox",
        "/outpost.goauthentik.io/../secret",
        "/outpost.goauthentik.io/start/../../secret",
        "/outpost.goauthentik.io%2fstart",
        "/%6futpost.goauthentik.io/start",
        "/outpost.goauthentik.io/start;/x",
        "/outpost.goauthentik.io/ping",
        "//outpost.goauthentik.io/start",
        "/outpost.goauthentik.io/start%00",
        "/outpost.goauthentik.io/start/",
    ):
        forwarded = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", https), ("X-Forwarded-Uri", path)]
        assert auth(stage, "traefik", *forwarded) >= 300, path
        status = auth(stage, "nginx", ("Host", https), ("X-Original-URL", f"https://{https}{path}"))
        assert status >= 400 or path == "/outpost.goauthentik.io/ping", (path, status)
