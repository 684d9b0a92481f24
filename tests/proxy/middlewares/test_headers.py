"""``headers``: custom fields, CORS, protections."""

from __future__ import annotations

import pytest

from doorward.messages.http import Header, HttpAnswer
from doorward.messages.routing import Headers
from doorward.proxy.middlewares.headers import HeadersMiddleware
from doorward.proxy.request import Request, ResponseHead
from proxy.made import admitted, values


def response(*headers: Header) -> ResponseHead:
    return ResponseHead(200, b"OK", list(headers))


def left(middleware: Headers, request: Request, *headers: Header) -> list[Header]:
    head = response(*headers)
    HeadersMiddleware(middleware).leave(request, head)
    return head.headers


def test_request_fields_are_set_and_deleted() -> None:
    """A value replaces every copy, an empty one deletes, ``Host`` changes what the application is asked for."""
    request = admitted((b"x-from", b"evil"), (b"X-From", b"evil"), (b"Cookie", b"a=1"))
    rules = (("X-From", "doorward"), ("Cookie", ""), ("Host", "inside.test"), ("X-Forwarded-For", ""))

    assert HeadersMiddleware(Headers("h", custom_request_headers=rules)).enter(request) is None
    assert values(request, b"x-from") == [b"doorward"]
    assert values(request, b"cookie") == values(request, b"x-forwarded-for") == []
    assert (request.authority, request.host) == (b"inside.test", b"app.example.test")


def test_response_fields_are_set_and_deleted() -> None:
    """The same for the answer, over what the application said."""
    made = left(
        Headers("h", custom_response_headers=(("Server", ""), ("X-A", "1")), frame_deny=True),
        admitted(),
        (b"server", b"x"), (b"x-frame-options", b"SAMEORIGIN"), (b"X-Other", b"y"),
    )  # fmt: skip

    assert made == [(b"X-Other", b"y"), (b"X-Frame-Options", b"DENY"), (b"X-A", b"1")]


def test_protections() -> None:
    """Every protection has the field that browsers know."""
    made = left(
        Headers(
            "h",
            content_type_nosniff=True,
            browser_xss_filter=True,
            custom_frame_options_value="SAMEORIGIN",
            content_security_policy="default-src 'self'",
            content_security_policy_report_only="default-src 'none'",
            referrer_policy="no-referrer",
            permissions_policy="camera=()",
        ),
        admitted(),
    )

    assert made == [
        (b"X-Frame-Options", b"SAMEORIGIN"),
        (b"X-Content-Type-Options", b"nosniff"),
        (b"X-XSS-Protection", b"1; mode=block"),
        (b"Content-Security-Policy", b"default-src 'self'"),
        (b"Content-Security-Policy-Report-Only", b"default-src 'none'"),
        (b"Referrer-Policy", b"no-referrer"),
        (b"Permissions-Policy", b"camera=()"),
    ]


STS = Headers("h", sts_seconds=60, sts_include_subdomains=True, sts_preload=True)
STS_FIELD = (b"Strict-Transport-Security", b"max-age=60; includeSubDomains; preload")


def test_strict_transport_security_needs_tls() -> None:
    """Sent over TLS, behind a proxy that says TLS if so configured, or when forced."""
    assert left(STS, admitted(tls=True)) == [STS_FIELD]
    assert left(STS, admitted()) == []
    assert left(Headers("h", sts_seconds=60, force_sts_header=True), admitted()) == [
        (b"Strict-Transport-Security", b"max-age=60")
    ]
    behind = Headers("h", sts_seconds=60, ssl_proxy_headers=(("X-Forwarded-Proto", "https"),))
    said = (b"X-Forwarded-Proto", b"https")
    assert left(behind, admitted(said, trusted=["192.0.2.7"])) == [(b"Strict-Transport-Security", b"max-age=60")]
    assert left(behind, admitted(said)) == []


@pytest.mark.parametrize(("host", "allowed"), [(b"app.example.test:80", True), (b"evil.test", False)])
def test_allowed_hosts(host: bytes, allowed: bool) -> None:
    """Other hosts are turned away; in development everything is allowed."""
    request = admitted(host=(b"Host", host))
    outcome = HeadersMiddleware(Headers("h", allowed_hosts=("App.example.test",))).enter(request)

    assert (outcome is None) is allowed
    assert HeadersMiddleware(Headers("h", allowed_hosts=("x",), is_development=True)).enter(request) is None


# --- CORS

CORS = Headers(
    "h",
    access_control_allow_origin_list=("https://a.test",),
    access_control_allow_origin_list_regex=(r"^https://.*\.b\.test$",),
    access_control_allow_methods=("GET", "PUT"),
    access_control_allow_headers=("X-A", "X-B"),
    access_control_expose_headers=("X-C",),
    access_control_max_age=100,
)


def preflight(middleware: Headers, origin: bytes, *more: Header, method: bytes = b"OPTIONS") -> HttpAnswer | None:
    asked = (b"Access-Control-Request-Method", b"PUT")
    return HeadersMiddleware(middleware).enter(admitted((b"Origin", origin), asked, *more, method=method))


def test_preflight_is_answered_here() -> None:
    """A browser's question is answered 200 with what is allowed; the application and the login never see it."""
    answer = preflight(CORS, b"https://x.b.test")

    assert answer == HttpAnswer(
        200,
        (
            (b"Access-Control-Allow-Origin", b"https://x.b.test"),
            (b"Access-Control-Allow-Methods", b"GET, PUT"),
            (b"Access-Control-Allow-Headers", b"X-A, X-B"),
            (b"Access-Control-Max-Age", b"100"),
            (b"Vary", b"Origin"),
        ),
    )


@pytest.mark.parametrize(
    "origin", [b"https://evil.test", b"https://a.test.evil.test", b"null", b"https://b.test\xff", b"x" * 5000]
)
def test_foreign_preflight_is_allowed_nothing(origin: bytes) -> None:
    """A foreign origin is answered as well, without permission."""
    assert preflight(CORS, origin) == HttpAnswer(200, ((b"Vary", b"Origin"),))


def test_plain_options_is_no_preflight() -> None:
    """OPTIONS without the two fields goes its normal way."""
    middleware = HeadersMiddleware(CORS)

    assert middleware.enter(admitted(method=b"OPTIONS")) is None
    assert middleware.enter(admitted((b"Origin", b"https://a.test"), method=b"OPTIONS")) is None
    assert preflight(CORS, b"https://a.test", method=b"PUT") is None


def test_answers_get_their_permission() -> None:
    """An allowed origin may read the answer; the application's own permissions give way."""
    request = admitted((b"Origin", b"https://a.test"))
    made = left(CORS, request, (b"access-control-allow-origin", b"*"), (b"Vary", b"Accept"))

    assert made == [
        (b"Vary", b"Accept"),
        (b"Access-Control-Allow-Origin", b"https://a.test"),
        (b"Access-Control-Expose-Headers", b"X-C"),
        (b"Vary", b"Origin"),
    ]
    assert left(CORS, admitted((b"Origin", b"https://evil.test")), (b"X", b"1")) == [(b"X", b"1")]


def test_star_with_credentials_is_echoed() -> None:
    """Browsers take no star together with credentials, so they get back what they said."""
    everybody = Headers(
        "h",
        access_control_allow_origin_list=("*",),
        access_control_allow_methods=("*",),
        access_control_allow_headers=("*",),
        access_control_allow_credentials=True,
    )
    answer = preflight(everybody, b"https://x.test", (b"Access-Control-Request-Headers", b"x-q"))

    assert answer is not None
    assert answer.headers[:4] == (
        (b"Access-Control-Allow-Origin", b"https://x.test"),
        (b"Access-Control-Allow-Credentials", b"true"),
        (b"Access-Control-Allow-Methods", b"PUT"),
        (b"Access-Control-Allow-Headers", b"x-q"),
    )


def test_star_without_credentials_stays_a_star() -> None:
    """Without credentials the answer is the same for everybody, and may be cached so."""
    made = left(Headers("h", access_control_allow_origin_list=("*",)), admitted((b"Origin", b"https://x.test")))

    assert made == [(b"Access-Control-Allow-Origin", b"*")]
