"""Room D: forward auth and outpost sessions. What a cookie, a state and a session are worth, and until when."""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from peers.processes import eventually
from peers.questions import Answer
from security.raw import Response, connected, responses
from security.stage import BOB, MALLORY, Stage, cookie_line, websocket_lines
from security.visitor import Visitor

pytestmark = pytest.mark.timeout(90)
START = "/outpost.goauthentik.io/start"
CALLBACK = "/outpost.goauthentik.io/callback?X-authentik-auth-callback=true"


def opens(stage: Stage, name: str, session: tuple[str, str], *more: bytes) -> bool:
    return stage.reached(stage.ask(name, cookie_line(session), *more))


def flipped(value: str) -> str:
    return value[:-2] + ("AA" if value[-2:] != "AA" else "BA")


# --- cookies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["app", "over"])
def test_what_is_no_session_cookie_is_no_session(stage: Stage, name: str) -> None:
    """Every damaged value leads to a login: never 200, never 500; and the stale cookie is replaced."""
    # S-301, CVE-2026-25748
    cookie, value = stage.session(name)
    middle = value[:30] + ("A" if value[30] != "A" else "B") + value[31:]
    for wrong in (
        "",
        "=",
        "A" * 8192,
        "!!!!",
        "%00",
        value + "=",
        value[:-1],
        value + "A",
        middle,
        flipped(value),
        value.lower(),
        value.upper(),
        f'"{value}"',
        f" {value[:20]} {value[20:]}",
        quote(value[:-1] + "\x7f"),
        value.replace("A", "+"),
        base64.urlsafe_b64encode(bytes(54)).decode(),
        base64.urlsafe_b64encode(b"\x02" + bytes(53)).decode(),
    ):
        answer = stage.ask(name, b"Accept: text/html", f"Cookie: {cookie}={wrong}".encode())
        assert answer.status == 302, (wrong[:80], answer.status)
        assert any(line.startswith(f"{cookie}=") for line in answer.all("Set-Cookie")), wrong[:80]


def test_a_session_is_one_applications_only(stage: Stage) -> None:
    """Under the other application's cookie name it is nothing, and neither is its own name on the other host."""
    # S-317
    name, value = stage.session("app")
    other, _ = stage.session("app2")
    for host, cookie in (("app2", other), ("app2", name), ("over", other), ("over", name)):
        assert not opens(stage, host, (cookie, value))
    assert opens(stage, "app", (name, value))


def test_two_values_of_one_name_are_none(stage: Stage) -> None:
    """A sibling host planted one of them: neither counts, in any order, in one field or two; both are expired."""
    # S-313
    name, value = stage.session("app")
    foreign = flipped(value)
    for pair in (
        (f"Cookie: {name}={value}; {name}={foreign}",),
        (f"Cookie: {name}={foreign}; {name}={value}",),
        (f"Cookie: {name}={value}", f"Cookie: {name}={foreign}"),
        (f"Cookie: {name}={foreign}", f"Cookie: x=y; {name}={value}"),
        (f"Cookie: {name}={value}; {name}=",),
    ):
        answer = stage.ask("app", b"Accept: text/html", *[line.encode() for line in pair])
        assert answer.status == 302, pair
        expired = [line for line in answer.all("Set-Cookie") if "Max-Age=0" in line]
        assert any("Domain=example.test" in line for line in expired), answer.all("Set-Cookie")
    eventually(lambda: "session.duplicate_cookie" in stage.program.errors.read_text(), what="it is an event", within=3)
    assert opens(stage, "app", (name, value)), "the session itself has not ended"
    assert opens(stage, "app", (name, f"{value}; {name}={value}")), "the same twice is one"


def test_nameless_and_prefixed_cookies_are_what_they_are(stage: Stage) -> None:
    """``=name=value`` is a cookie without a name; another prefix is another name."""
    # S-315
    name, value = stage.session("app")
    for line in (
        f"={name}={value}",
        f"; ={name}={value}",
        f"__Host-{name}={value}",
        f"__Secure-{name}={value}",
        f"$Path=/; ={name}={value}",
        f"{name} ={value}x",
        f"\xa0{name}={value}",
        f"\u2000{name}={value}".encode().decode("latin-1"),
        f"{name.upper()}={value}",
    ):
        assert not stage.reached(stage.ask("app", b"Cookie: " + line.encode("latin-1"))), line


def test_every_cookie_that_we_set_has_its_flags(stage: Stage) -> None:
    """HttpOnly, Secure, SameSite=Lax, host-only, and no longer life than the session has on the server."""
    # S-316
    visitor = stage.logged_in("app")
    assert len(visitor.set_cookies) >= 3
    for line in visitor.set_cookies:
        name, *attributes = line.split("; ")
        folded = {attribute.lower() for attribute in attributes}
        assert {"path=/", "secure"} <= folded, line
        assert not any(attribute.startswith("domain=") for attribute in folded), line
        assert "samesite=none" not in folded
        if name.startswith("authentik_proxy_"):
            assert {"httponly", "samesite=lax"} <= folded, line
            [age] = [int(attribute[8:]) for attribute in folded if attribute.startswith("max-age=")]
            assert age <= 24 * 3600 + 1
        elif "login" in name:
            assert name.startswith("__Host-"), line
            assert {"httponly", "samesite=lax"} <= folded, line


def test_a_cookie_bomb_hurts_its_owner_only(stage: Stage) -> None:
    """180 cookies and 60 KiB: 431 or an answer, and everybody else is served; ours never become more than a few."""
    # S-314
    bomb = b"Cookie: " + b"; ".join(b"c%d=%b" % (number, b"x" * 330) for number in range(180))
    assert stage.ask("app", bomb).status == 431
    many = b"Cookie: " + b"; ".join(b"c%d=x" % number for number in range(199))
    assert stage.ask("app", many, b"Accept: text/html").status == 302
    assert opens(stage, "app", stage.session("app"))

    visitor = stage.visitor()
    for number in range(12):
        visitor.get(f"{stage.url('app')}/{number}")
    assert len(visitor.cookies["app.example.test"]) <= 5


# --- coming back --------------------------------------------------------------------------------------------------


class Begun:
    """A login at an application that has come as far as the answer of the identity provider."""

    def __init__(self, stage: Stage, name: str = "app", username: str = "bob", path: str = "/wanted") -> None:
        self.visitor = stage.visitor()
        visitor = self.visitor
        place, page = visitor.open(stage.url(name) + path)
        place, page = visitor.submit(place, page, uid_field=username)
        action, fields = _form(page)
        fields["password"] = {"bob": BOB, "mallory": MALLORY}[username]
        base = stage.url("auth")
        answer = visitor.send(
            "POST",
            base + action,
            (("Origin", base), ("Content-Type", "application/x-www-form-urlencoded")),
            urlencode(fields).encode(),
        )
        while "/outpost.goauthentik.io/callback" not in answer.one("Location"):
            location = answer.one("Location")
            answer = visitor.get(location if location.startswith("http") else base + location)
        self.url = answer.one("Location")
        self.query = {key: values[0] for key, values in parse_qs(urlsplit(self.url).query).items()}
        stage.secrets.add(self.query["code"])

    def with_query(self, **changes: str) -> str:
        query = {**self.query, **changes}
        return self.url.partition("?")[0] + "?" + urlencode({key: value for key, value in query.items() if value})


def _form(page: Answer) -> tuple[str, dict[str, str]]:
    from security.visitor import form_of

    return form_of(page)


def has_session(visitor: Visitor, stage: Stage, name: str = "app") -> bool:
    return "X-Forwarded-Server" in visitor.get(f"{stage.url(name)}/").text


def is_a_page(answer: Answer) -> bool:
    """400 with a way to start again, and no redirect."""
    return answer.status == 400 and not answer.all("Location") and START in answer.text


def test_a_login_is_completed_once(stage: Stage) -> None:
    """The same callback again is a page; nobody is logged in by it, and its stored address is not followed."""
    # S-310
    begun = Begun(stage)
    before = dict(begun.visitor.cookies["app.example.test"])
    assert begun.visitor.get(begun.url).one("Location") == f"{stage.url('app')}/wanted"
    assert has_session(begun.visitor, stage)

    replay = stage.visitor()
    replay.cookies["app.example.test"] = before
    assert is_a_page(replay.get(begun.url))
    assert not has_session(replay, stage)


def test_a_state_of_another_browser_is_refused(stage: Stage) -> None:
    """mallory's code and state, opened in bob's browser, log nobody in: with another login's cookie or with none."""
    # S-310, S-311
    begun = Begun(stage)
    other = stage.visitor()
    assert is_a_page(other.get(begun.url))
    other.open(f"{stage.url('app')}/mine")
    assert other.cookies["app.example.test"]
    assert is_a_page(other.get(begun.url))
    assert not has_session(other, stage)
    assert begun.visitor.get(begun.url).status == 302, "its own browser may still complete it"


def test_a_state_that_is_not_ours_is_refused(stage: Stage) -> None:
    """Altered, unsigned, another application's, empty, doubled: 400, and no redirect."""
    # S-310, S-233, S-429
    begun = Begun(stage)
    header, claims, signature = begun.query["state"].split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    changed["redirect"] = "https://evil.test/"
    evil = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    none = [
        base64.urlsafe_b64encode(json.dumps({"alg": alg, "typ": "JWT"}).encode()).decode().rstrip("=")
        for alg in ("none", "None", "nOnE", "HS384", "RS256")
    ]
    other = Begun(stage, "app2")
    for state in (
        f"{header}.{evil}.{signature}",
        f"{header}.{claims}.{flipped(signature)}",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        *(f"{head}.{evil}." for head in none),
        *(f"{head}.{evil}.{signature}" for head in none),
        "",
        "x",
        "..",
        "a.b.c",
        other.query["state"],
        "A" * 4000,
    ):
        answer = begun.visitor.get(begun.with_query(state=state))
        assert is_a_page(answer), (state[:60], answer.status, answer.headers)
    assert begun.visitor.get(begun.url + "&state=x").status == 400
    assert begun.visitor.get(begun.url + "&code=x").status == 400
    assert begun.visitor.get(begun.url).status == 302


def test_a_callback_without_what_it_needs_is_a_page(stage: Stage) -> None:
    """An error, nothing, both, or another issuer's answer: a page, and no loop."""
    # S-333
    begun = Begun(stage)
    for changes, status in (
        ({"code": "", "error": "access_denied", "error_description": "<script>forged</script>"}, 403),
        ({"code": ""}, 400),
        ({"error": "x"}, 400),
        ({"iss": "https://evil.test/"}, 400),
        ({"iss": f"{stage.url('auth')}/application/o/app2/"}, 400),
    ):
        answer = begun.visitor.get(begun.with_query(**changes))
        assert answer.status == status, changes
        assert "<script>" not in answer.text
        assert not answer.all("Location")


def test_a_code_that_is_not_good_ends_at_a_page(stage: Stage) -> None:
    """A made-up code, or the code of another login: the nonce and the verifier belong to the state."""
    # S-311, S-334
    begun, other = Begun(stage), Begun(stage)
    for code in ("forged", other.query["code"], "x" * 4000):
        assert is_a_page(begun.visitor.get(begun.with_query(code=code)))
    assert not has_session(begun.visitor, stage)


def test_the_session_has_a_new_id_after_the_login(stage: Stage) -> None:
    """The value that the browser had before is worth nothing afterwards, for whoever planted it."""
    # S-312
    begun = Begun(stage)
    [(name, before)] = begun.visitor.cookies["app.example.test"].items()
    begun.visitor.get(begun.url)

    assert begun.visitor.cookies["app.example.test"][name] != before
    assert opens(stage, "app", (name, begun.visitor.cookies["app.example.test"][name]))
    assert not opens(stage, "app", (name, before))


RD = [
    "https://evil.test/",
    "//evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "https:evil.test",
    "https:/evil.test",
    "http:///evil.test",
    "https://app.example.test.evil.test/",
    "https://app.example.test@evil.test/",
    "https://evil.test#app.example.test",
    "/%09/evil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\tx",
    "\t//evil.test",
    " //evil.test",
    "/%0a",
    "https://app.example.test:1/",
    "//",
    "ftp://app.example.test/",
    "https://app2.example.test/",
    "/.//evil.test",
    "/..//evil.test",
    "///evil.test",
    "/%5cevil.test",
    "/outpost.goauthentik.io/sign_out",
    "/outpost.goauthentik.io/start",
    "/x/../outpost.goauthentik.io/sign_out",
    "/?X-authentik-logout=true",
    "/%6futpost.goauthentik.io/sign_out",
    "//outpost.goauthentik.io/sign_out",
    "/a?X-authentik-auth-callback=true&state=x",
]


@pytest.mark.parametrize("rd", RD)
def test_a_return_address_that_leads_elsewhere_is_dropped(stage: Stage, rd: str) -> None:
    """A browser that is logged in stays on the application; one that logs in carries no such address along."""
    # S-307, S-309
    known = stage.session("app")
    stranger = stage.visitor().get(f"{stage.url('app')}{START}?rd={quote(rd, safe='')}")
    state = parse_qs(urlsplit(stranger.one("Location")).query)["state"][0].split(".")[1]
    kept = json.loads(base64.urlsafe_b64decode(state + "=" * (-len(state) % 4))).get("redirect", "")
    answer = stage.ask(
        "app", b"Accept: text/html", cookie_line(known), target=f"{START}?rd={quote(rd, safe='')}".encode()
    )
    for where in (kept and stage.url("app") + kept, answer.first("Location")):
        if where:
            assert where.startswith(stage.url("app") + "/"), (rd, where)
            path = where[len(stage.url("app")) :]
            assert not re.match(r"/[/\\]", path), (rd, where)
            assert "sign_out" not in path.replace("%2F", "/").lower() or "outpost.goauthentik.io" not in path, (
                rd,
                where,
            )
            assert "X-authentik-logout" not in path


@pytest.mark.parametrize("rd", ["/x?y", "https://{}/x?y"])
def test_a_return_address_on_the_application_is_kept(stage: Stage, rd: str) -> None:
    """The control."""
    # S-307
    rd = rd.format(f"app.example.test:{stage.program.https_port}")
    answer = stage.ask(
        "app",
        b"Accept: text/html",
        cookie_line(stage.session("app")),
        target=f"{START}?rd={quote(rd, safe='')}".encode(),
    )

    assert answer.first("Location") == f"{stage.url('app')}/x?y"


def test_a_long_address_survives_the_login(stage: Stage) -> None:
    """Seven kilobytes are kept on the server, the redirect stays short, and the browser returns to all of it."""
    # S-331
    path = "/long?q=" + "abcdefghij" * 700
    begun = Begun(stage, path=path)
    first = begun.visitor.trail[0][1].one("Location")

    assert len(first) <= 2048
    assert begun.visitor.get(begun.url).one("Location") == stage.url("app") + path


# --- what strangers get -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["app", "over"])
def test_programs_without_a_session_get_401_and_no_cookie(stage: Stage, name: str) -> None:
    """fetch, WebSocket, JSON clients: no redirect, no Basic dialogue, and a login under way is not disturbed."""
    # S-329
    for more in (
        (b"Sec-Fetch-Mode: cors",),
        (b"X-Requested-With: XMLHttpRequest",),
        (b"Accept: application/json",),
    ):
        answer = stage.ask(name, *more)
        assert answer.status == 401
        assert "basic" not in answer.first("WWW-Authenticate").lower()
        assert answer.all("Set-Cookie") == []


def test_going_in_circles_ends_at_a_page(stage: Stage) -> None:
    """Five starts without a success, and the sixth answer explains instead of redirecting."""
    # S-330
    visitor = stage.visitor()
    answers = [visitor.get(f"{stage.url('app')}/") for _ in range(7)]

    assert [answer.status for answer in answers[:5]] == [302] * 5
    assert [answer.status for answer in answers[5:]] == [400, 400]
    assert "cookie" in answers[5].text


@pytest.mark.parametrize(
    "header", ["Basic Ym9iOndyb25n", "Bearer nonsense", "Basic", "Bearer " + "A" * 8000, "Digest x"]
)
def test_a_header_is_no_session(stage: Stage, header: str) -> None:
    """A credential that the provider does not know leads to a refusal, and never to a session."""
    # S-318, S-319
    for name in ("app", "over"):
        for accept in (b"Accept: text/html", b"Accept: application/json"):
            answer = stage.ask(name, accept, b"Authorization: " + header.encode())
            assert answer.status in (302, 401)
            assert not stage.reached(answer)


def test_the_token_that_applications_get_is_theirs(stage: Stage) -> None:
    """Audience, end and kind fit the provider; on open paths there is none."""
    # S-335
    with stage.application.watched() as arrived:
        stage.ask("app", cookie_line(stage.session("app")))
        stage.ask("app2", cookie_line(stage.session("app2")))
    claims = []
    for request in arrived:
        token = request.one(b"X-authentik-jwt")
        stage.secrets.add(token.decode())
        part = token.split(b".")[1]
        claims.append(json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))))

    assert claims[0]["aud"] != claims[1]["aud"]
    assert all(claim["exp"] <= time.time() + 24 * 3600 for claim in claims)
    assert all(claim["aud"] == claim["azp"] for claim in claims)


@pytest.mark.parametrize("endpoint", ["start", "callback", "sign_out"])
@pytest.mark.parametrize("method", [b"HEAD", b"OPTIONS", b"POST", b"PUT", b"DELETE"])
def test_our_endpoints_act_on_get_only(stage: Stage, endpoint: str, method: bytes) -> None:
    """No side effect by another method."""
    # S-339
    session = stage.session("app")
    target = f"/outpost.goauthentik.io/{endpoint}".encode()
    data = b"%b %b HTTP/1.1\r\nHost: %b\r\n%b\r\nConnection: close\r\n\r\n" % (
        method,
        target,
        stage.host("app"),
        cookie_line(session),
    )
    from security.raw import sent

    assert sent(stage.program.https_port, data, tls="app.example.test")[9:12] == b"405"
    assert opens(stage, "app", session)


def test_an_error_page_tells_nothing_of_the_inside(stage: Stage) -> None:
    """No addresses, no paths, no stack traces."""
    # S-337
    for answer in (
        stage.ask("app", b"Accept: text/html", target=CALLBACK.encode() + b"&state=x&code=y"),
        stage.ask("app", b"Accept: text/html", target=b"/outpost.goauthentik.io/start?rd=a&rd=b"),
    ):
        assert answer.status == 400
        for inner in (b"127.0.0.1", b".sock", b"Traceback", b"/src/", str(stage.program.data).encode()):
            assert inner not in answer.body


# --- the end of a session -----------------------------------------------------------------------------------------


@pytest.fixture
def leaving(stage: Stage) -> Iterator[str]:
    """A user of the test's own, in staff."""
    username = f"leaving-{time.monotonic_ns()}"
    staff = stage.api.first("/core/groups/", name="staff")["pk"]
    stage.people[username] = stage.api.person(username, BOB, staff)["pk"]
    yield username
    stage.api.delete(f"/core/users/{stage.people.pop(username)}/")


REASONS = {
    "leaves the group": lambda stage, pk: stage.api.patch(f"/core/users/{pk}/", groups=[]),
    "is disabled": lambda stage, pk: stage.api.patch(f"/core/users/{pk}/", is_active=False),
    "has a new password": lambda stage, pk: stage.api.post(f"/core/users/{pk}/set_password/", password=BOB + "-new"),
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_session_ends_with_what_it_stood_on(stage: Stage, leaving: str, reason: str) -> None:
    """Within a second, at every worker, whether they knew the session or not; open WebSockets are closed with 1008."""
    # S-321, S-228, S-322
    session = stage.fresh_session("app", leaving)
    over = stage.fresh_session("over", leaving)
    for _ in range(12):
        assert opens(stage, "app", session)
        assert opens(stage, "over", over)
    handshake = (b"GET /ws HTTP/1.1", b"Host: " + stage.host("app"), *websocket_lines(), cookie_line(session))
    origin = b"Origin: " + stage.url("app").encode()
    with connected(stage.program.https_port, "app.example.test") as socket:
        socket.sendall(b"\r\n".join((*handshake, origin, b"", b"")))
        assert socket.recv(65536)[9:12] == b"101"
        REASONS[reason](stage, stage.people[leaving])
        done = time.monotonic()
        socket.settimeout(2)
        received = b""
        while data := socket.recv(65536):
            received += data
        assert time.monotonic() - done < 1, "the WebSocket was cut too late"
        assert received.endswith(b"\x88\x02\x03\xf0"), received
    eventually(lambda: not opens(stage, "app", session), within=1, what="the session is over")
    for _ in range(12):
        assert not opens(stage, "app", session)
    if reason != "leaves the group":
        assert not opens(stage, "over", over)


def test_a_deleted_user_is_out(stage: Stage) -> None:
    """And so is whoever gets the same name afterwards."""
    # S-321, S-817
    staff = stage.api.first("/core/groups/", name="staff")["pk"]
    first = stage.api.person("recreated", BOB, staff)["pk"]
    session = stage.fresh_session("app", "recreated")
    assert opens(stage, "app", session)
    stage.api.delete(f"/core/users/{first}/")
    eventually(lambda: not opens(stage, "app", session), within=1, what="the session is over")
    second = stage.api.person("recreated", BOB, staff)["pk"]
    try:
        assert second != first
        assert not opens(stage, "app", session)
    finally:
        stage.api.delete(f"/core/users/{second}/")


def test_a_binding_that_goes_takes_the_sessions_along(stage: Stage, leaving: str) -> None:
    """Whoever may no longer enter is out within a second."""
    # S-321
    session = stage.fresh_session("app2", leaving)
    assert opens(stage, "app2", session)
    binding = stage.api.bind(stage.applications["app2"], user=stage.people["mallory"])
    try:
        eventually(lambda: not opens(stage, "app2", session), within=1, what="the session is over")
    finally:
        stage.api.delete(f"/policies/bindings/{binding['pk']}/")
        stage.forget_sessions("app2")  # everybody's but mallory's ended


def test_signing_out_ends_it_everywhere(stage: Stage, leaving: str) -> None:
    """The old cookie is worth nothing, at this application and at the others of the same person."""
    # S-322, S-323
    visitor = stage.logged_in("app", leaving)
    visitor.open(f"{stage.url('app2')}/")
    old = visitor.cookie("app.example.test", "authentik_proxy_")
    old2 = visitor.cookie("app2.example.test", "authentik_proxy_")
    login = visitor.cookie("auth.example.test", "__Host-doorward_login")
    assert opens(stage, "app", old)
    assert opens(stage, "app2", old2)
    answer = visitor.get(f"{stage.url('app')}/outpost.goauthentik.io/sign_out")
    assert answer.status == 302
    [expired] = [line for line in answer.all("Set-Cookie") if line.startswith(old[0])]
    assert "Max-Age=0" in expired
    assert "Path=/" in expired
    visitor.follow(stage.url("app"), answer)
    for _ in range(8):
        assert not opens(stage, "app", old)
        assert not opens(stage, "app2", old2)
    again = stage.visitor()
    again.cookies["auth.example.test"] = dict([login])
    assert "uid_field" in again.open(f"{stage.url('app')}/")[1].text, "the login is over as well"


@pytest.mark.parametrize(
    "site",
    [
        (b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Dest: image", b"Sec-Fetch-Mode: no-cors"),
        (b"Sec-Fetch-Site: same-site", b"Sec-Fetch-Dest: iframe", b"Sec-Fetch-Mode: navigate"),
        (b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Dest: empty", b"Sec-Fetch-Mode: cors"),
    ],
)
def test_another_site_signs_nobody_out(stage: Stage, site: tuple[bytes, ...]) -> None:
    """A picture, a frame or a script elsewhere: 403, and the session lives."""
    # S-324, S-230
    session = stage.session("app")
    answer = stage.ask("app", cookie_line(session), *site, target=b"/outpost.goauthentik.io/sign_out")

    assert answer.status == 403
    assert opens(stage, "app", session)


def test_after_the_answer_to_a_logout_there_is_no_yes(stage: Stage, leaving: str) -> None:
    """Requests in flight may go either way; once the answer has been read, none passes."""
    # S-325
    visitor = stage.logged_in("app2", leaving)
    session = visitor.cookie("app2.example.test", "authentik_proxy_")
    late: list[Response] = []
    over = threading.Event()
    stop = threading.Event()

    def knock() -> None:
        while not stop.is_set():
            after = over.is_set()
            answer = stage.ask("app2", cookie_line(session))
            if after:
                late.append(answer)

    with ThreadPoolExecutor(6) as pool:
        for _ in range(6):
            pool.submit(knock)
        time.sleep(0.3)
        visitor.get(f"{stage.url('app2')}/outpost.goauthentik.io/sign_out")
        over.set()
        eventually(lambda: len(late) > 40, within=15, what="more requests")
        stop.set()

    assert [answer.status for answer in late if stage.reached(answer)] == []


def test_a_callback_that_comes_after_the_logout_makes_no_session(stage: Stage) -> None:
    """The code was given to a login that is over."""
    # S-325
    begun = Begun(stage)
    login = begun.visitor.cookie("auth.example.test", "__Host-doorward_login")
    other = stage.visitor()
    other.cookies["auth.example.test"] = dict([login])
    other.open(f"{stage.url('auth')}/flows/-/default/invalidation/")
    answer = begun.visitor.get(begun.url)

    assert answer.status in (400, 403)
    assert not has_session(begun.visitor, stage)


def test_many_requests_at_once_are_one_person_each(stage: Stage) -> None:
    """Two people, interleaved over shared connections to the application: nobody is taken for the other."""
    # S-326, S-327
    people = {"bob": stage.fresh_session("app2", "bob"), "mallory": stage.fresh_session("app2", "mallory")}

    def many(username: str) -> list[str]:
        wrong = []
        for _ in range(40):
            answer = stage.ask("app2", cookie_line(people[username]))
            if f"X-authentik-username: {username}\r\n".encode() not in answer.body:
                wrong.append(f"{username}: {answer.status} {answer.body[:300]!r}")
        return wrong

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(many, ["bob", "mallory"] * 4))

    assert [wrong for outcome in outcomes for wrong in outcome] == []


# --- one connection, one header block, many requests --------------------------------------------------------------


def asked(connection: socket.socket, stage: Stage, name: str, target: bytes, *more: bytes) -> Response:
    """One request of a conversation; its fields are the same bytes every time, as a browser's are."""
    connection.sendall(b"\r\n".join((b"GET %b HTTP/1.1" % target, b"Host: " + stage.host(name), *more, b"", b"")))
    received = b""
    while True:
        received += connection.recv(65536)
        head, end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: ([0-9]+)", head)
        if end and length and len(body) >= int(length[1]):
            return responses(received)[0]


@pytest.mark.parametrize("name", ["app2", "over"])
def test_a_block_that_passed_is_asked_about_again(stage: Stage, name: str) -> None:
    """On a connection that was let through: our own endpoints, marks in the query and odd paths are still judged."""
    # S-236, S-230, S-203, S-307
    session = stage.session(name)
    fields = (cookie_line(session), b"Accept: text/html")
    with connected(stage.program.https_port, f"{name}.example.test") as connection:
        for _ in range(3):
            for target, passes in (
                (b"/a", True),
                (b"/outpost.goauthentik.io/nothing", False),
                (b"/outpost.goauthentik.io/auth/traefik", False),
                (b"/b?c=d", True),
                (b"/outpost.goauthentik.io%2fx", False),
                (b"/x/../outpost.goauthentik.io/nothing", False),
                (b"/%6futpost.goauthentik.io/nothing", False),
                (b"//outpost.goauthentik.io/nothing", False),
                (b"/a", True),
                (b"/outpost.goauthentik.io/start?rd=//evil.test", False),
                (b"/outpost.goauthentik.iox", True),
                (b"/a%20b", True),
            ):
                answer = asked(connection, stage, name, target, *fields)
                assert stage.reached(answer) is passes, target
                assert answer.status != 200 or passes


def test_a_block_that_passed_does_not_pass_after_the_end(stage: Stage, leaving: str) -> None:
    """The same bytes on the same connection: let through a hundred times, then not once more."""
    # S-321, S-325
    session = stage.fresh_session("app2", leaving)
    fields = (cookie_line(session), b"Accept: text/html")
    with (
        connected(stage.program.https_port, "app2.example.test") as one,
        connected(stage.program.https_port, "app2.example.test") as two,
    ):
        for _ in range(50):
            assert stage.reached(asked(one, stage, "app2", b"/", *fields))
            assert stage.reached(asked(two, stage, "app2", b"/", *fields))
        stage.api.patch(f"/core/users/{stage.people[leaving]}/", is_active=False)
        eventually(lambda: not stage.reached(asked(one, stage, "app2", b"/", *fields)), within=1, what="it ends")
        eventually(lambda: not stage.reached(asked(two, stage, "app2", b"/", *fields)), within=1, what="it ends")
        for _ in range(20):
            assert not stage.reached(asked(one, stage, "app2", b"/", *fields))
            assert not stage.reached(asked(two, stage, "app2", b"/", *fields))


def test_two_people_on_one_connection_stay_two(stage: Stage) -> None:
    """A proxy in front may mix people on a connection: each request is its own sender's."""
    # S-327, S-044
    bob, mallory = stage.session("app2", "bob"), stage.session("app2", "mallory")
    with connected(stage.program.https_port, "app2.example.test") as connection:
        for number in range(60):
            session, username = ((bob, b"bob"), (mallory, b"mallory"))[number % 2]
            answer = asked(connection, stage, "app2", b"/", cookie_line(session), b"Accept: text/html")
            assert b"X-authentik-username: " + username + b"\r\n" in answer.body
            if number % 10 == 0:
                stranger = asked(connection, stage, "app2", b"/", b"Accept: text/html")
                assert stranger.status == 302
