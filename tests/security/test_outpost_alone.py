"""Room D for an outpost on its own, over HTTP: what differs from the one that asks its own identity provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from peers.processes import eventually
from peers.questions import Answer
from security.alone import KEY, PREFIX, Alone, prepared
from security.raw import connected, until_closed
from security.recording_application import Recorded

NAVIGATION = (("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"))
SPOOFED = (
    ("X-authentik-username", "forged"),
    ("X_authentik_uid", "forged"),
    ("X-Auth-Request-User", "forged"),
    ("X-Auth-Request-Groups", "forged"),
    ("X-Forwarded-User", "forged"),
    ("X-Forwarded-Email", "forged"),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    with prepared(tmp_path_factory.mktemp("alone")) as alone, alone.serving():
        yield alone
        said = alone.log.read_text()
        for secret in (KEY, "client-secret-with"):
            assert secret not in said


@pytest.fixture
def alone(shared: Alone) -> Iterator[Alone]:
    """With I1 and I2 looked at after the test."""
    before = len(shared.application.requests)
    yield shared
    shared.issuer.bend = lambda claims: None
    shared.issuer.away = False
    for request in shared.application.requests[before:]:
        complete = request.all(b"X-authentik-username") and request.all(b"X-Auth-Request-User")
        assert complete or request.target == b"/health", request
        assert not any(b"forged" in value for _, value in request.headers), request
        names = [name.lower() for name, _ in request.headers if b"auth" in name.lower()]
        assert len(names) == len(set(names)), names


def arrived(alone: Alone, before: int) -> Recorded:
    [request] = alone.application.requests[before:]
    return request


@pytest.mark.parametrize("value", ["", "=", "A" * 8000, "%00", "AQFr" * 18, "\u00e9"], ids=repr)
def test_cookies_that_are_no_session(value: str, alone: Alone) -> None:
    """Whatever stands under the names of ours: a stranger, never a 200 and never a 500."""  # S-301
    ticket = next(name for name in alone.logged_in().cookies["app.example.test"] if name.count("_") == 2)

    for header in (f"{ticket}={value}", f"{ticket}_0={value}", f"{ticket}={value}; {ticket}_0={value}"):
        assert alone.get("/", ("Cookie", header)).status == 302


def test_the_identity_is_the_outposts_alone(alone: Alone) -> None:
    """What clients send under the names that the outpost sets reaches no application: logged in, or on an open path."""
    # S-108, S-110, S-302
    visitor = alone.logged_in()
    before = len(alone.application.requests)

    assert alone.get("/", alone.cookie_of(visitor), *SPOOFED).status == 200
    told = arrived(alone, before)
    assert told.one(b"X-authentik-username") == b"bob"
    assert told.one(b"X-Auth-Request-User") == b"sub-bob"
    assert told.one(b"X-Forwarded-Email") == b"bob@example.com"

    before = len(alone.application.requests)
    assert alone.get("/health", *SPOOFED).status == 200
    assert not any(
        name.lower().startswith((b"x-authentik-", b"x-auth-request-")) for name in arrived(alone, before).names
    )
    assert alone.get("/", *SPOOFED).status == 302


def test_the_application_sees_none_of_our_cookies_and_can_set_none(alone: Alone) -> None:
    """Neither ticket nor sealed session goes to it; its own cookies do; what it sets under our names is dropped."""
    # S-125, S-320
    visitor = alone.logged_in()
    name, value = alone.cookie_of(visitor)
    ticket = value.partition("=")[0]
    alone.application.says[b"/sets"] = (
        f"HTTP/1.1 200 OK\r\nSet-Cookie: {ticket}_0=planted; Path=/\r\nSet-Cookie: own=1\r\nContent-Length: 0\r\n\r\n"
    ).encode()
    before = len(alone.application.requests)

    answer = alone.get("/sets", (name, f"{value}; mine=1"))

    assert arrived(alone, before).one(b"Cookie") == b"mine=1"
    assert answer.all("Set-Cookie") == ["own=1"]


def test_flags_of_every_cookie(alone: Alone) -> None:
    """Of ticket and sealed session alike; no domain, no longer than the session."""  # S-316
    visitor = alone.logged_in()

    ours = [line for line in visitor.set_cookies if line.startswith("authentik_proxy_")]
    assert len(ours) >= 3
    for line in ours:
        attributes = {part.strip().partition("=")[0] for part in line.split(";")[1:]}
        assert attributes == {"Path", "Expires", "Max-Age", "HttpOnly", "Secure", "SameSite"}, line
        assert len(line) < 4096


@pytest.mark.parametrize(
    "rd",
    ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "https://app.example.test.evil.test/"],
)
def test_where_a_login_may_end(rd: str, alone: Alone) -> None:
    """Nowhere else than at the application."""  # S-307
    visitor, _ = alone.begun()
    sent = visitor.get(f"{alone.url()}{PREFIX}/start?rd={quote(rd, safe='')}")
    callback = alone.issuer.authorize(urlsplit(sent.one("Location")).query).headers["Location"]

    assert visitor.get(callback).one("Location") == f"{alone.url()}/"


def test_states(alone: Alone) -> None:
    """Altered, of another browser, used twice: no session."""  # S-310, S-311
    visitor, callback = alone.begun()
    other = alone.visitor()
    altered = callback.replace("&state=", "&state=A")

    for answer in (visitor.get(altered), other.get(callback)):
        assert answer.status == 400
        assert not answer.all("Location")
    kept = dict(visitor.cookies["app.example.test"])
    assert visitor.get(callback).status == 302
    visitor.cookies["app.example.test"] = kept
    assert visitor.get(callback).status == 400
    assert visitor.get(f"{alone.url()}/").status == 302


def test_the_id_changes_with_the_login(alone: Alone) -> None:
    """A ticket from before the login is none after it, and opens nothing with the session of after."""  # S-312
    visitor, callback = alone.begun()
    begun = dict(visitor.cookies["app.example.test"])
    visitor.get(callback)
    after = visitor.cookies["app.example.test"]
    [name] = begun

    assert after[name] != begun[name]
    mixed = "; ".join(f"{each}={value}" for each, value in {**after, **begun}.items())
    assert alone.get("/", ("Cookie", mixed)).status == 302


def test_two_tickets_or_two_sessions(alone: Alone) -> None:
    """Planted beside one's own: none counts."""  # S-313
    one, other = alone.logged_in("bob"), alone.logged_in("mallory")
    name, own = alone.cookie_of(one)

    assert alone.get("/", (name, f"{own}; {alone.cookie_of(other)[1]}")).status == 302


def test_the_session_of_another_application(alone: Alone) -> None:
    """The same issuer, the same client, the same key, and still another application's."""  # S-317
    visitor = alone.logged_in()

    assert alone.get("/", alone.cookie_of(visitor), name="app2").status == 302


def test_upstreams_by_path(alone: Alone) -> None:
    """The longest path decides, and ends at a slash; both are behind the same login."""
    cookie = alone.cookie_of(alone.logged_in(name="app2"), "app2")

    for asked, target, host in (
        ("/api/x?y=1", b"/x?y=1", b"127.0.0.1"),
        ("/api", b"/", b"127.0.0.1"),
        ("/apix", b"/apix", b"app2.example.test"),
    ):
        before = len(alone.application.requests)
        assert alone.get(asked, cookie, name="app2").status == 200
        assert (arrived(alone, before).target, arrived(alone, before).host) == (target, host)
        assert alone.get(asked, name="app2").status == 302


def test_signing_out(alone: Alone) -> None:
    """The cookies go, and whoever has kept a copy has nothing."""  # S-323
    visitor = alone.logged_in()
    copy = alone.cookie_of(visitor)

    left = visitor.get(f"{alone.url()}{PREFIX}/sign_out")

    assert left.status == 302
    assert left.one("Location").startswith(alone.issuer.discovery()["end_session_endpoint"])
    assert visitor.cookies["app.example.test"] == {}
    assert alone.get("/", copy).status == 302


def test_signing_out_from_another_site(alone: Alone) -> None:
    """A picture on somebody's page logs nobody out."""  # S-324
    visitor = alone.logged_in()
    cross = (("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image"))

    assert alone.get(f"{PREFIX}/sign_out", alone.cookie_of(visitor), *cross).status == 403
    assert alone.get("/", alone.cookie_of(visitor)).status == 200


def test_nobody_passes_after_a_logout_was_answered(alone: Alone) -> None:
    """Requests under way, the sign-out answered, more requests: not one of these passes."""  # S-325
    visitor = alone.logged_in()
    cookie = alone.cookie_of(visitor)

    with ThreadPoolExecutor(6) as pool:
        early = [pool.submit(alone.get, "/", cookie) for _ in range(20)]
        assert visitor.get(f"{alone.url()}{PREFIX}/sign_out").status == 302
        late = [pool.submit(alone.get, "/", cookie) for _ in range(30)]
        assert {each.result().status for each in late} == {302}
        assert {each.result().status for each in early} <= {200, 302, 401}  # what is under way is told


def test_many_at_once_when_it_is_time_to_renew(alone: Alone) -> None:
    """One question to the issuer; everybody stays who they are; and the browser gets the renewed session."""
    # S-326, S-327
    alone.issuer.token_life = 5
    try:
        people = {name: alone.logged_in(name) for name in ("bob", "mallory")}
    finally:
        alone.issuer.token_life = 300
    cookies = {name: alone.cookie_of(visitor) for name, visitor in people.items()}
    token = alone.issuer.paths()["token_endpoint"]
    before = alone.issuer.asked.count(token)

    def ask(name: str) -> tuple[str, Answer]:
        return name, alone.get("/who", cookies[name])

    def renewed() -> bool:
        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(ask, ["bob", "mallory"] * 20))
        for name, answer in outcomes:
            assert answer.status == 200
            assert f"x-authentik-username: {name}\r\n" in answer.text.lower()
        return all(any(each == name and answer.all("Set-Cookie") for each, answer in outcomes) for name in cookies)

    eventually(renewed, within=40, what="both sessions are renewed", every=0.2)
    assert alone.issuer.asked.count(token) == before + 2


def test_a_browser_that_goes_round_in_circles(alone: Alone) -> None:
    """The sixth answer is a page."""  # S-330
    visitor = alone.visitor()
    answers = [visitor.get(f"{alone.url()}/", *NAVIGATION) for _ in range(7)]

    assert [answer.status for answer in answers[:5]] == [302] * 5
    assert answers[6].status == 400
    assert "You keep being sent back" in answers[6].text


def test_a_long_address(alone: Alone) -> None:
    """It is kept here while one logs in, and one comes back to the whole of it."""  # S-331
    path = "/wanted?" + "a=" + "b" * 7000
    visitor, callback = alone.begun(path=path)
    location = visitor.trail[0][1].one("Location")

    assert len(location) <= 2048
    assert visitor.get(callback).one("Location") == f"{alone.url()}{path}"


def test_answers_of_the_issuer_that_are_none(alone: Alone) -> None:
    """An error, nothing, both, another issuer's: a page, no loop, no session."""  # S-333
    changes: tuple[tuple[int, Callable[[str, str], str]], ...] = (
        (403, lambda url, code: url.replace(f"code={code}", "error=access_denied")),
        (400, lambda url, code: url.replace(f"code={code}&", "")),
        (400, lambda url, code: f"{url}&error=access_denied"),
        (400, lambda url, code: f"{url.partition('&iss=')[0]}&iss=https%3A%2F%2Fevil.test"),
    )
    for status, altered in changes:
        visitor, callback = alone.begun()
        [code] = parse_qs(urlsplit(callback).query)["code"]
        answer = visitor.get(altered(callback, code))
        assert answer.status == status, answer.text
        assert not answer.all("Location")
        assert visitor.get(f"{alone.url()}/").status == 302


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("iss", "https://evil.test", "(iss)"),
        ("aud", ["other"], "(aud)"),
        ("azp", "other", "(azp)"),
        ("nonce", "other", "(nonce)"),
        ("exp", 1, "The clocks do not agree"),
    ],
)
def test_id_tokens_that_do_not_fit(name: str, value: object, says: str, alone: Alone) -> None:
    """No session, and the claim is named; never an endpoint of the issuer's."""  # S-334, S-337
    alone.issuer.bend = lambda claims: claims.__setitem__(name, value)
    visitor, callback = alone.begun()

    answer = visitor.get(callback)

    assert answer.status == 400
    assert says in answer.text
    assert alone.issuer.origin not in answer.text
    assert visitor.get(f"{alone.url()}/").status == 302
    assert f"{name} " in alone.log.read_text()


@pytest.mark.parametrize("seconds", [-420, 300])
def test_clocks_that_differ_by_minutes(seconds: int, alone: Alone) -> None:
    """A page says so, instead of a loop."""  # S-340

    def shift(claims: dict[str, int]) -> None:
        claims["iat"] += seconds
        claims["exp"] += seconds

    alone.issuer.bend = shift
    visitor, callback = alone.begun()

    answer = visitor.get(callback)

    assert answer.status == 400
    assert "The clocks do not agree" in answer.text


def test_the_issuer_away_in_the_middle_of_a_login(alone: Alone) -> None:
    """503 and a way to try again; who is logged in does not notice."""
    known = alone.logged_in("mallory")
    visitor, callback = alone.begun()
    alone.issuer.away = True

    answer = visitor.get(callback)

    assert answer.status == 503
    assert "does not answer" in answer.text
    assert alone.get("/", alone.cookie_of(known)).status == 200


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "DELETE"])
@pytest.mark.parametrize("endpoint", ["start", "callback", "sign_out"])
def test_other_methods(method: str, endpoint: str, alone: Alone) -> None:
    """No side effect."""  # S-339
    answer = alone.get(f"{PREFIX}/{endpoint}", method=method)

    assert answer.status == 405
    assert not answer.all("Set-Cookie")


def test_a_stranger_at_the_endpoints_for_proxies(alone: Alone) -> None:
    """Nobody but a trusted proxy may ask in a browser's name: here nobody is trusted."""  # S-120, S-306
    forwarded = (
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", f"app.example.test:{alone.port}"),
        ("X-Forwarded-Uri", "/health"),
    )

    for dialect in ("traefik", "caddy", "nginx", "envoy/health"):
        answer = alone.get(f"{PREFIX}/auth/{dialect}", ("Host", "elsewhere.test"), *forwarded)
        assert answer.status == 403, (dialect, answer)


def test_a_login_that_ends_at_the_issuer_cuts_what_is_open(alone: Alone) -> None:
    """A stream that the application is still sending ends with the session."""  # S-322
    visitor = alone.logged_in("carol")
    told = alone.application.requests[-1]
    sid = alone.issuer.sid_of(told.one(b"X-authentik-jwt").decode())

    def stream(connection: object, _: Recorded) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")  # type: ignore[attr-defined]
        connection.recv(1)  # type: ignore[attr-defined]

    alone.application.acts[b"/stream"] = stream
    name, value = alone.cookie_of(visitor)
    head = f"GET /stream HTTP/1.1\r\nHost: app.example.test:{alone.port}\r\n{name}: {value}\r\n\r\n"
    with connected(alone.port, "app.example.test") as connection:
        connection.sendall(head.encode())
        received = b""
        while b"hi" not in received:
            received += connection.recv(65536)
        visitor.send(
            "POST",
            f"{alone.url()}{PREFIX}/backchannel_logout",
            (("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", "")),
            f"logout_token={alone.issuer.logout_token(sid=sid)}".encode(),
        )
        until_closed(connection)
    assert alone.get("/", (name, value)).status == 302


def test_a_restart(tmp_path: Path) -> None:
    """It keeps sessions, and what has ended."""  # S-336
    with prepared(tmp_path) as alone:
        with alone.serving():
            stays, goes = alone.logged_in("bob"), alone.logged_in("mallory")
            ended = alone.cookie_of(goes)
            goes.get(f"{alone.url()}{PREFIX}/sign_out")
        with alone.serving():
            assert alone.get("/", alone.cookie_of(stays)).status == 200
            assert alone.get("/", ended).status == 302
