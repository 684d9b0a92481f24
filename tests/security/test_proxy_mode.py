"""Proxy mode: Doorward itself stands in front of the application, and nothing else has to be configured anywhere."""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from peers.processes import eventually
from security.raw import connected, responses
from security.recording_application import Recorded
from security.stage import BOB, FORGED, Stage, cookie_line, websocket_lines

pytestmark = pytest.mark.timeout(90)
HOST = "proxied.example.test"


@pytest.fixture
def proxied(stage: Stage) -> Iterator[dict[str, Any]]:
    """The provider of ``proxied.example.test``, by the API, in force; the application is behind it."""
    provider = in_proxy_mode(stage, f"http://127.0.0.1:{stage.application.port}", skip_path_regex="^/health$")
    yield provider
    stage.forget_sessions("proxied")
    stage.api.delete("/core/applications/proxied/")
    stage.api.delete(f"/providers/proxy/{provider['pk']}/")
    eventually(lambda: stage.ask("proxied").status == 404, within=1, what="the host is nobody's again")


def in_proxy_mode(stage: Stage, internal_host: str, **fields: Any) -> dict[str, Any]:
    api = stage.api
    flow = api.first("/flows/instances/", slug="default-provider-authorization-implicit-consent")["pk"]
    provider: dict[str, Any] = api.post(
        "/providers/proxy/",
        name="proxied",
        external_host=stage.url("proxied"),
        internal_host=internal_host,
        authorization_flow=flow,
        invalidation_flow=api.first("/flows/instances/", slug="default-provider-invalidation-flow")["pk"],
        **fields,
    )
    api.post("/core/applications/", name="Proxied", slug="proxied", provider=provider["pk"])
    outpost = api.first("/outposts/instances/", managed__iexact="goauthentik.io/outposts/embedded")
    api.patch(f"/outposts/instances/{outpost['pk']}/", providers=[*outpost["providers"], provider["pk"]])
    eventually(
        lambda: stage.ask("proxied", b"Accept: text/html").status in (302, 503), within=1, what="it is served at once"
    )
    return provider


def test_a_stranger_is_sent_to_log_in_and_whoever_logged_in_gets_through(stage: Stage, proxied: dict[str, Any]) -> None:
    """Method, path, query, body and outside host arrive as they were sent; who it is comes from us alone."""
    # S-108, S-125, outpost.md sections 8 and 9
    with stage.application.watched() as seen:
        answer = stage.ask("proxied", b"Accept: text/html", target=b"/a?b=c")
        assert answer.status == 302
        assert answer.all("Location")[0].startswith(f"{stage.url('auth')}/application/o/authorize/?")
        assert stage.ask("proxied", b"Accept: application/json").status == 401
    assert not seen
    session = stage.session("proxied")
    with stage.application.watched() as seen:
        answer = stage.ask(
            "proxied",
            cookie_line((f"theme=dark; {session[0]}", session[1])),
            b"X-Authentik-Username: " + FORGED.encode(),
            b"Transfer-Encoding: chunked",
            target=b"/a/b%20c?d=e&d=%2F",
            method=b"PROPPATCH",
            body=b"5\r\nhello\r\n0\r\n\r\n",
        )
    assert answer.status == 200
    (arrived,) = seen
    assert (arrived.method, arrived.target, arrived.body) == (b"PROPPATCH", b"/a/b%20c?d=e&d=%2F", b"hello")
    assert arrived.one(b"Host") == stage.host("proxied")
    assert arrived.one(b"X-Forwarded-Host") == stage.host("proxied")
    assert arrived.one(b"X-Forwarded-Proto") == b"https"
    assert arrived.one(b"X-authentik-username") == b"bob"
    assert arrived.one(b"X-authentik-meta-app") == b"proxied"
    assert arrived.one(b"Cookie") == b"theme=dark"


def test_an_open_path_passes_without_a_word_about_anybody(stage: Stage, proxied: dict[str, Any]) -> None:
    """Only the path that the rule means; what a client claims to be does not arrive."""
    # S-108, S-204, outpost.md section 6
    from security import invariants

    with pytest.MonkeyPatch.context() as patch, stage.application.watched() as seen:
        patch.setattr(invariants, "SKIPPED", {*invariants.SKIPPED, (HOST, b"/health")})
        forged = b"X-authentik-username: " + FORGED.encode()
        assert stage.ask("proxied", forged, target=b"/health").status == 200
        assert stage.ask("proxied", forged, b"Accept: text/html", target=b"/healthy").status == 302
        assert stage.ask("proxied", forged, b"Accept: text/html", target=b"/health;x=1").status in (302, 400)
    assert [request.target for request in seen] == [b"/health"]
    assert not [name for name in seen[0].names if name.startswith(b"x-authentik")]
    del stage.application.requests[-1]  # the rule is this test's: the invariants do not know it


def test_websockets_and_event_streams_pass_and_end_with_the_session(stage: Stage, proxied: dict[str, Any]) -> None:
    """The outpost's own addresses work at the application's host without a route for them."""
    # S-228, S-322
    visitor = stage.logged_in("proxied", "bob")
    session = visitor.cookie(HOST, "authentik_proxy_")
    origin = b"Origin: " + stage.url("proxied").encode()
    ends = threading.Event()

    def events(peer: socket.socket, request: Recorded) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
        ends.wait(20)

    stage.application.acts[b"/events"] = events
    port = stage.program.https_port
    with connected(port, HOST) as web_socket, connected(port, HOST) as stream:
        for peer, path, more in ((web_socket, b"/ws", [*websocket_lines(), origin]), (stream, b"/events", [])):
            lines = (b"GET " + path + b" HTTP/1.1", b"Host: " + stage.host("proxied"), cookie_line(session), *more)
            peer.sendall(b"\r\n".join((*lines, b"", b"")))
        assert b" 101 " in web_socket.recv(65536)
        read = b""
        while b"data: one" not in read:
            read += stream.recv(65536)
        answer = visitor.get(f"{stage.url('proxied')}/outpost.goauthentik.io/sign_out")
        stage.forget_sessions_of("bob")
        assert answer.status == 302
        assert "/end-session/" in answer.one("Location")
        for peer in (web_socket, stream):
            peer.settimeout(3)
            with contextlib.suppress(ConnectionResetError, ssl.SSLError):
                while peer.recv(65536):
                    pass
    ends.set()
    del stage.application.acts[b"/events"]
    assert not stage.reached(stage.ask("proxied", cookie_line(session)))


def test_a_users_own_headers_and_basic_credentials_arrive_and_nobody_elses(
    stage: Stage, proxied: dict[str, Any]
) -> None:
    """What one user's attributes add to a request is stripped from everybody else's."""
    # S-110, S-115, outpost.md sections 9.1 and 9.2
    attributes = {"additionalHeaders": {"X-Team": "blue", "Host": "evil.test"}, "password": BOB}
    stage.api.patch(
        f"/providers/proxy/{proxied['pk']}/",
        basic_auth_enabled=True,
        basic_auth_user_attribute="login",
        basic_auth_password_attribute="password",
    )
    user = stage.api.person("teamed", BOB)
    stage.api.patch(f"/core/users/{user['pk']}/", attributes={**attributes, "login": "inside"})
    try:
        teamed, other = stage.fresh_session("proxied", "teamed"), stage.fresh_session("proxied", "bob")
        claimed = b"X-Team: " + FORGED.encode()
        with stage.application.watched() as seen:
            assert stage.reached(stage.ask("proxied", cookie_line(teamed), claimed))
            assert stage.reached(stage.ask("proxied", cookie_line(other), claimed))
        assert seen[0].one(b"X-Team") == b"blue"
        assert seen[0].one(b"Authorization").startswith(b"Basic ")
        assert seen[0].host == HOST.encode()
        assert not seen[1].all(b"X-Team")
        assert not seen[1].all(b"Authorization")
    finally:
        stage.api.delete(f"/core/users/{user['pk']}/")


def test_the_inside_url_changes_at_once(stage: Stage, proxied: dict[str, Any]) -> None:
    """Within a second requests go elsewhere; nobody has to log in again for it."""
    session = stage.session("proxied")
    stage.api.patch(f"/providers/proxy/{proxied['pk']}/", internal_host=f"http://localhost:{stage.auth_server.port}")
    stage.auth_server.says[b"/elsewhere"] = b"HTTP/1.1 203 Moved\r\nContent-Length: 0\r\n\r\n"
    eventually(
        lambda: stage.ask("proxied", cookie_line(session), target=b"/elsewhere").status == 203,
        within=1,
        what="another application answers",
    )
    stage.auth_server.requests.clear()


@contextlib.contextmanager
def with_tls(stage: Stage) -> Iterator[int]:
    """An application that speaks TLS with a certificate that nobody signed but itself; its port."""

    class Quiet(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(203)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, *args: Any) -> None:
            """Nobody reads it."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stage.certificate)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()


def test_the_inside_certificate_is_verified_unless_that_is_switched_off(stage: Stage, proxied: dict[str, Any]) -> None:
    """An application that cannot prove who it is gets no request of anybody."""
    # S-719
    session = stage.session("proxied")
    path = f"/providers/proxy/{proxied['pk']}/"
    with with_tls(stage) as port:
        stage.api.patch(path, internal_host=f"https://localhost:{port}")
        eventually(
            lambda: stage.ask("proxied", cookie_line(session)).status in (500, 502), within=1, what="it is not believed"
        )
        stage.api.patch(path, internal_host_ssl_validation=False)
        eventually(lambda: stage.ask("proxied", cookie_line(session)).status == 203, within=1, what="it is believed")
        assert "believes every server" in stage.program.errors.read_text()
        stage.api.patch(path, internal_host=f"http://127.0.0.1:{stage.application.port}")


def test_this_program_is_no_application(stage: Stage, proxied: dict[str, Any]) -> None:
    """Requests that would go round and round are answered 503, and the log names the reason."""
    session = stage.session("proxied")
    stage.api.patch(f"/providers/proxy/{proxied['pk']}/", internal_host=f"https://localhost:{stage.program.https_port}")
    eventually(lambda: stage.ask("proxied", cookie_line(session)).status == 503, within=1, what="nothing goes round")
    assert "its internal host is this program itself" in stage.program.errors.read_text()


def test_two_applications_share_a_host_by_their_paths(stage: Stage, proxied: dict[str, Any]) -> None:
    """The longest prefix decides, whoever hands requests on; a prefix that ends elsewhere than at a slash is none."""
    api = stage.api
    flow = api.first("/flows/instances/", slug="default-provider-authorization-implicit-consent")["pk"]
    below = api.post(
        "/providers/proxy/",
        name="below",
        external_host=f"{stage.url('proxied')}/wiki",
        internal_host=f"http://127.0.0.1:{stage.application.port}",
        authorization_flow=flow,
        invalidation_flow=api.first("/flows/instances/", slug="default-provider-invalidation-flow")["pk"],
    )
    application = api.post("/core/applications/", name="Below", slug="below", provider=below["pk"])
    outpost = api.first("/outposts/instances/", managed__iexact="goauthentik.io/outposts/embedded")
    api.bind(application, user=stage.people["mallory"])
    try:
        api.patch(f"/outposts/instances/{outpost['pk']}/", providers=[*outpost["providers"], below["pk"]])
        session = stage.session("proxied")
        eventually(
            lambda: not stage.reached(stage.ask("proxied", cookie_line(session), target=b"/wiki/x")),
            within=1,
            what="the second application has its path",
        )
        for path in (b"/wiki", b"/wiki/", b"/wiki/a/b", b"/%77iki/a"):
            assert not stage.reached(stage.ask("proxied", cookie_line(session), target=path)), path
        for path in (b"/", b"/wikipedia", b"/a/wiki"):
            assert stage.reached(stage.ask("proxied", cookie_line(session), target=path)), path
        visitor = stage.known("mallory")
        place, page = visitor.open(f"{stage.url('proxied')}/wiki/a")
        assert (place, page.status) == (f"{stage.url('proxied')}/wiki/a", 200)
        assert b"X-authentik-meta-app: below" in page.body
    finally:
        api.patch(f"/outposts/instances/{outpost['pk']}/", providers=outpost["providers"])
        api.delete("/core/applications/below/")
        api.delete(f"/providers/proxy/{below['pk']}/")


def test_pipelined_requests_are_judged_one_by_one(stage: Stage, proxied: dict[str, Any]) -> None:
    """A stranger's request behind a member's on one connection is a stranger's."""
    session = stage.session("proxied")
    first = b"GET /1 HTTP/1.1\r\nHost: " + stage.host("proxied") + b"\r\n" + cookie_line(session) + b"\r\n\r\n"
    second = b"GET /2 HTTP/1.1\r\nHost: " + stage.host("proxied") + b"\r\nConnection: close\r\n\r\n"
    with connected(stage.program.https_port, HOST) as peer:
        peer.sendall(first + second)
        received = b""
        while data := peer.recv(65536):
            received += data
    assert [response.status for response in responses(received)] == [200, 302]
