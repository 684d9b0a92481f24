"""What the auth server's answer does (contract: proxy.md 5.4 and 5.5), without a socket."""

from __future__ import annotations

import asyncio

import pytest

from doorward.messages.http import Header, HttpAnswer, HttpQuestion
from doorward.messages.routing import ForwardAuth
from doorward.proxy.middlewares.bulkhead import MOST_WAITING, Bulkheads
from doorward.proxy.middlewares.field_roles import canonical_name
from doorward.proxy.middlewares.forward_auth import ForwardAuthMiddleware
from doorward.proxy.ports import AuthAnswerTooLarge, AuthServerBusy, AuthServerUnreachable
from doorward.proxy.request import BodyTooLarge, Request, ResponseHead
from proxy.made import admitted, values
from proxy.middlewares.auth_server import ADDRESS, IDENTITY, Said, asked, entered, forward_auth

OUTPOST = "http://127.0.0.1:9000/outpost.goauthentik.io/auth/traefik"


def left(middleware: object, request: Request, *headers: Header) -> list[Header]:
    head = ResponseHead(200, b"OK", list(headers))
    middleware.leave(request, head)  # type: ignore[attr-defined]
    return head.headers


# --- yes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204, 206, 299])
async def test_any_2xx_lets_pass(status: int) -> None:
    """Every complete 2xx is a yes."""
    assert await entered(forward_auth(Said(HttpAnswer(status))), admitted()) is None


async def test_listed_headers_are_the_auth_servers() -> None:
    """Client copies go, the auth server's values come, in order, and absent means absent."""  # S-110 S-111
    answer = HttpAnswer(
        200, ((b"X-Auth-Group", b"a"), (b"x-auth-group", b"b"), (b"X-Other", b"1"), (b"Content-Length", b"7"))
    )
    request = admitted((b"x-AUTH-group", b"evil"), (b"Remote-User", b"evil"), (b"X-Kept", b"1"))
    listed = ("X-Auth-Group", "Remote-User", "Content-Length", "Transfer-Encoding", "Host")

    assert await entered(forward_auth(Said(answer), auth_response_headers=listed), request) is None
    assert values(request, b"x-auth-group") == [b"a", b"b"]
    assert values(request, b"remote-user") == values(request, b"x-other") == values(request, b"content-length") == []
    assert values(request, b"x-kept") == [b"1"]


async def test_expression_lists_headers_as_well() -> None:
    """What ``authResponseHeadersRegex`` matches is removed from the client and taken from the answer."""  # S-110
    answer = HttpAnswer(200, ((b"x-auth-name", b"bob"), (b"X-Author", b"2"), (b"Connection", b"close")))
    request = admitted((b"X-AUTH-UID", b"evil"), (b"X-Auth-Name", b"evil"), (b"X-Author", b"1"))

    await entered(forward_auth(Said(answer), auth_response_headers_regex="^X-Auth-|Connection"), request)
    assert values(request, b"x-auth-name") == [b"bob"]
    assert values(request, b"x-auth-uid") == []
    assert values(request, b"x-author") == [b"1"]
    assert values(request, b"connection") == []


async def test_nothing_of_a_yes_reaches_the_client() -> None:
    """Fields and cookies of a 2xx answer stay here, except named cookies, which replace the application's."""  # S-112
    answer = HttpAnswer(
        200, ((b"Set-Cookie", b"sid=new; Path=/"), (b"Set-Cookie", b"other=1"), (b"X-Auth", b"1")), b"body"
    )
    request = admitted()
    middleware = forward_auth(Said(answer), add_auth_cookies_to_response=("sid",))
    assert await entered(middleware, request) is None

    made = left(middleware, request, (b"Set-Cookie", b"sid=app"), (b"X-App", b"1"), (b"set-cookie", b"app=1"))
    assert made == [(b"X-App", b"1"), (b"set-cookie", b"app=1"), (b"Set-Cookie", b"sid=new; Path=/")]


async def test_a_credential_that_the_outpost_used_is_not_the_applications() -> None:
    """S-319: what authenticated is removed; what did not is the application's own, and no other server may say so."""
    answer = HttpAnswer(200, ((b"X-Doorward-Consumed", b"Authorization"), *IDENTITY))
    for address, kept in ((OUTPOST, []), (ADDRESS, [b"Basic Ym9iOng="])):
        request = admitted((b"authorization", b"Basic Ym9iOng="), (b"X-Kept", b"1"))

        assert await entered(forward_auth(Said(answer), address=address), request) is None
        assert values(request, b"authorization") == kept
        assert values(request, b"x-kept") == [b"1"]
        assert values(request, b"x-doorward-consumed") == []


async def test_user_for_the_access_log() -> None:
    """``headerField`` names who it was."""
    request = admitted()
    answer = HttpAnswer(200, ((b"X-User", "Zoë".encode()), (b"X-User", b"second")))
    await entered(forward_auth(Said(answer), header_field="x-user"), request)

    assert request.user == "Zoë"


# --- no --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [300, 302, 304, 400, 401, 403, 404, 429, 500, 503])
async def test_a_complete_refusal_is_passed_on(status: int) -> None:
    """Any other complete answer reaches the client, without the fields of the connection."""  # S-303
    answer = HttpAnswer(
        status,
        (
            (b"Server", b"x"), (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"WWW-Authenticate", b"Basic"),
            (b"Vary", b"Cookie"), (b"Connection", b"X-Hop"), (b"X-Hop", b"1"), (b"Keep-Alive", b"1"), (b"TE", b"x"),
            (b"Trailers", b"x"), (b"Transfer-Encoding", b"x"), (b"Upgrade", b"x"), (b"X-Doorward-Session", b"00"),
        ),
        b"no",
    )  # fmt: skip

    assert await entered(forward_auth(Said(answer)), admitted()) == HttpAnswer(
        status,
        (
            (b"Server", b"x"), (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"WWW-Authenticate", b"Basic"),
            (b"Vary", b"Cookie"), (b"X-Hop", b"1"),
        ),
        b"no",
    )  # fmt: skip


@pytest.mark.parametrize("status", [100, 101, 103, 199])
async def test_an_unfinished_answer_is_no_yes(status: int) -> None:
    """1xx is no final answer: closed."""  # S-303
    assert await entered(forward_auth(Said(HttpAnswer(status))), admitted()) == HttpAnswer(500)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AuthServerUnreachable("connection refused"), 500),
        (AuthServerBusy("full"), 503),
        (AuthAnswerTooLarge("2 MiB"), 401),
    ],
)
async def test_failures_close(error: Exception, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong ends in an empty answer, and one log line says why."""  # S-303, S-304
    middleware = forward_auth(Said(error))
    for _ in range(3):
        assert await entered(middleware, admitted()) == HttpAnswer(status)

    assert [record.getMessage() for record in caplog.records] == [
        f"forward_auth.failed auth@file (http://auth.test:9): {error}"
    ]


@pytest.mark.parametrize("status", [200, 302])
async def test_large_answer_closes(status: int) -> None:
    """An answer over ``maxResponseBodySize`` is a refusal, a yes as well."""  # S-304
    answer = HttpAnswer(status, (), b"x" * 11)

    assert await entered(forward_auth(Said(answer), max_response_body_size=10), admitted()) == HttpAnswer(401)
    assert (
        await entered(forward_auth(Said(HttpAnswer(200, (), b"x" * 10)), max_response_body_size=10), admitted()) is None
    )


async def test_sign_in_instead_of_401() -> None:
    """``authSigninURL`` sends the browser to log in, for every method; other refusals stay."""
    middleware = forward_auth(
        Said(HttpAnswer(401, ((b"X", b"1"),), b"no")), auth_signin_url="https://login.test/?rd=$x"
    )

    assert await entered(middleware, admitted(method=b"POST")) == HttpAnswer(
        302, ((b"Location", b"https://login.test/?rd=$x"),)
    )
    other = forward_auth(Said(HttpAnswer(403)), auth_signin_url="https://login.test/")
    assert await entered(other, admitted()) == HttpAnswer(403)


@pytest.mark.parametrize(
    ("location", "absolute"),
    [
        (b"/start?rd=1", b"http://auth.test:9/start?rd=1"),
        (b"start", b"http://auth.test:9/start"),
        (b"?x", b"http://auth.test:9/verify?x"),
        (b"//other.test/x", b"http://other.test/x"),
        (b"https://idp.test/a?b#c", b"https://idp.test/a?b#c"),
        (b"", b"http://auth.test:9/verify?from=proxy"),
    ],
)
async def test_relative_location(location: bytes, absolute: bytes) -> None:
    """A relative ``Location`` is resolved against the auth server's address, or passed on as it is when told so."""
    answer = HttpAnswer(302, ((b"Location", location),))

    assert await entered(forward_auth(Said(answer)), admitted()) == HttpAnswer(302, ((b"Location", absolute),))
    assert await entered(forward_auth(Said(answer), preserve_location_header=True), admitted()) == answer


async def test_impossible_location_closes() -> None:
    """A ``Location`` that is no URL is not repaired."""
    answer = HttpAnswer(302, ((b"Location", b"http://[x"),))

    assert await entered(forward_auth(Said(answer)), admitted()) == HttpAnswer(500)


# --- bodies ----------------------------------------------------------------------------------------------------


def with_body(body: bytes, known: bool = True) -> Request:
    framing = (b"Content-Length", b"%d" % len(body)) if known else (b"Transfer-Encoding", b"chunked")
    request = admitted(framing, method=b"POST")

    async def read(limit: int) -> bytes:
        if len(body) > limit:
            raise BodyTooLarge
        return body

    request.read_body = read
    return request


async def test_body_is_not_touched_by_default() -> None:
    """Without ``forwardBody`` the body goes from client to application and nowhere else."""  # S-123
    request, authority = with_body(b"hello"), Said(HttpAnswer(200))
    await entered(forward_auth(authority), request)

    assert (authority.question.body, request.body) == (b"", None)


@pytest.mark.parametrize("known", [True, False])
async def test_body_is_shown_and_replayed(known: bool) -> None:
    """With ``forwardBody`` the auth server gets the body, and the application gets it too."""
    request, authority = with_body(b"hello", known), Said(HttpAnswer(200))
    await entered(forward_auth(authority, forward_body=True), request)

    assert (authority.question.body, request.body) == (b"hello", b"hello")
    again = Said(HttpAnswer(200))
    await entered(forward_auth(again, forward_body=True), request)
    assert again.question.body == b"hello"


@pytest.mark.parametrize("known", [True, False])
async def test_large_body_is_refused(known: bool) -> None:
    """A body over ``maxBodySize`` is 401, and the auth server is not asked."""
    authority = Said(HttpAnswer(200))
    outcome = await entered(forward_auth(authority, forward_body=True, max_body_size=4), with_body(b"hello", known))

    assert outcome == HttpAnswer(401)
    assert authority.questions == []


# --- waiting ---------------------------------------------------------------------------------------------------


class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.cancelled = 0

    def still(self, answer: HttpAnswer, path: bytes, query: bytes | None) -> bool:
        return False

    def regards(self, name: bytes) -> bool:
        return True

    async def ask(self, question: HttpQuestion) -> HttpAnswer:
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return HttpAnswer(200)


async def test_a_slow_auth_server_holds_up_its_own_only() -> None:
    """At most 256 wait for one auth server, whatever the middleware; the next gets 503; others go on."""  # S-919
    slow, bulkheads = Slow(), Bulkheads()
    one, two = (ForwardAuthMiddleware.build(ForwardAuth(name, ADDRESS), slow, bulkheads) for name in ("a", "b"))
    waiting = [asyncio.ensure_future(entered(one, admitted())) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)

    assert await entered(two, admitted()) == HttpAnswer(503)
    assert await entered(forward_auth(Said(HttpAnswer(200))), admitted()) is None
    slow.go.set()
    assert set(await asyncio.gather(*waiting)) == {None}
    assert await entered(two, admitted()) is None


async def test_a_client_that_leaves_ends_the_question() -> None:
    """When the exchange is cancelled, so is the sub-request, and its place is free again."""  # S-305
    slow = Slow()
    middleware = forward_auth(slow)
    waiting = asyncio.ensure_future(entered(middleware, admitted()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert slow.cancelled == 1
    assert middleware._bulkhead.waiting == 0


async def test_an_auth_server_that_never_answers_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the limit for a sub-request the answer is no."""  # S-303
    monkeypatch.setattr("doorward.proxy.middlewares.forward_auth.TIMEOUT", 0.01)

    assert await entered(forward_auth(Slow()), admitted()) == HttpAnswer(500)


# --- our own outpost -------------------------------------------------------------------------------------------


async def test_fused_answer_names_the_session() -> None:
    """The session that let a request pass is known to the proxy and to nobody else."""
    answer = HttpAnswer(200, (*IDENTITY, (b"X-Doorward-Session", b"0a" * 32)))
    request = admitted()
    listed = ("X-authentik-username", "X-Doorward-Session")
    middleware = forward_auth(Said(answer), address=OUTPOST, fused=True, auth_response_headers=listed)

    assert await entered(middleware, request) is None
    assert request.session == b"\x0a" * 32
    assert values(request, b"x-authentik-username") == [b"bob"]
    assert values(request, b"x-doorward-session") == values(request, b"x-authentik-uid") == []


async def test_a_strange_server_names_no_session() -> None:
    """The private field of an auth server elsewhere means nothing."""
    request = admitted()
    await entered(forward_auth(Said(HttpAnswer(200, ((b"X-Doorward-Session", b"00"),)))), request)

    assert request.session == b""


@pytest.mark.parametrize(
    "headers",
    [((b"X-authentik-username", b"bob"),), ((b"X-authentik-jwt", b"x"),), (*IDENTITY, (b"X-Doorward-Session", b"zz"))],
)
async def test_half_an_identity_closes(headers: tuple[Header, ...]) -> None:
    """Our own outpost says who it is completely, or not at all."""  # S-302
    middleware = forward_auth(Said(HttpAnswer(200, headers)), address=OUTPOST, fused=True)

    assert await entered(middleware, admitted()) == HttpAnswer(500)


async def test_fused_yes_without_identity_is_an_open_path() -> None:
    """A 200 without any identity is a skipped path: it passes, and the application sees nobody."""  # S-302, S-108
    request = admitted((b"X-authentik-username", b"evil"))
    middleware = forward_auth(Said(HttpAnswer(200)), address=OUTPOST, fused=True)

    assert await entered(middleware, request) is None
    assert not [name for name, _ in request.headers if name.lower().startswith(b"x-authentik")]


@pytest.mark.parametrize("address", [OUTPOST, "https://authentik.test/outpost.goauthentik.io/auth/traefik"])
async def test_application_never_sees_our_cookies(address: str) -> None:
    """Our session cookies end here, in every spelling; other pairs stay as they are, an empty field goes."""  # S-125
    request = admitted(
        (b"Cookie", b"a=1; authentik_proxy_0=secret;  b=\"x y\"; __Host-authentik_proxy_z=s; my_authentik_proxy_=k"),
        (b"cookie", b"__Secure-authentik_proxy_0=s"),
        (b"X-Note", b"authentik_proxy_0123abcd=kept"),
    )  # fmt: skip
    authority = Said(HttpAnswer(200))

    assert await entered(forward_auth(authority, address=address), request) is None
    assert values(request, b"cookie") == [b'a=1;  b="x y"; my_authentik_proxy_=k']
    assert values(request, b"x-note") == [b"authentik_proxy_0123abcd=kept"]
    assert len(asked(authority.question)["cookie"]) == 2


async def test_other_auth_servers_cookies_are_not_ours() -> None:
    """Behind an auth server of another kind nothing is touched."""
    request = admitted((b"Cookie", b"authentik_proxy_x=1"))
    await entered(forward_auth(Said(HttpAnswer(200))), request)

    assert values(request, b"cookie") == [b"authentik_proxy_x=1"]


async def test_application_cannot_set_our_cookie() -> None:
    """A cookie of one of our names from the application is dropped and logged."""  # S-320
    middleware = forward_auth(Said(HttpAnswer(200)), address=OUTPOST)
    request = admitted()
    await entered(middleware, request)

    made = left(
        middleware, request,
        (b"Set-Cookie", b"authentik_proxy_0123abcd=evil; Path=/"), (b"set-cookie", b"__Host-authentik_proxy_a=evil"),
        (b"Set-Cookie", b"mine=authentik_proxy_"), (b"X", b"authentik_proxy_x=1"),
    )  # fmt: skip
    assert made == [(b"Set-Cookie", b"mine=authentik_proxy_"), (b"X", b"authentik_proxy_x=1")]


def test_canonical_names() -> None:
    """Expressions are written for names as Traefik spells them."""
    assert canonical_name(b"x-auth-user") == "X-Auth-User"
