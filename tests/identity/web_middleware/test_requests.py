"""What is established about a request, and under which names we answer."""

from __future__ import annotations

import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from doorward.identity.web.middleware.requests import Facts, RequestFacts, facts_of

LOGIN = "/if/flow/default-authentication-flow/"


def seen(path: str = LOGIN, method: str = "GET", **headers: str) -> tuple[HttpResponse, HttpRequest | None]:
    """The answer, and the request as a view would see it."""
    inside: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        inside.append(request)
        return HttpResponse("inside")

    request = RequestFactory().generic(method, path, headers=headers)
    response = RequestFacts(view)(request)
    assert isinstance(response, HttpResponse)
    return response, inside[0] if inside else None


def facts(**headers: str) -> Facts:
    _, request = seen(Host="auth.example.test", **headers)
    assert request is not None
    return facts_of(request)


@pytest.mark.parametrize(
    ("stated", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("evil, 192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:443", None),
        ("<script>", None),
        ("", None),
    ],
)
def test_the_client_is_an_address_or_unknown(stated: str, address: str | None) -> None:
    """What our worker states, parsed strictly."""  # S-508
    assert facts(**{"X-Forwarded-For": stated}).client_ip == address


def test_every_answer_carries_the_number_of_its_request() -> None:
    """32 hex digits, of our own making."""
    response, request = seen(Host="auth.example.test", **{"X-authentik-id": "a" * 32})

    assert request is not None
    assert re.fullmatch("[0-9a-f]{32}", response["X-authentik-id"])
    assert response["X-authentik-id"] == facts_of(request).request_id != "a" * 32


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.test"},
        {"Host": "auth.example.test.evil.test"},
        {"Host": "auth.example.test@evil.test"},
        {"Host": "auth.example.test", "X-Forwarded-Host": "evil.test"},
        {"Host": ""},
        {"Host": "evil.test:443"},
        {"Host": "127.0.0.2"},
    ],
)
@pytest.mark.parametrize("path", [LOGIN, "/api/v3/core/users/", "/application/o/x/.well-known/openid-configuration"])
def test_an_unknown_name_gets_nothing(path: str, headers: dict[str, str]) -> None:
    """404 before anything is looked up."""  # S-117, S-445
    response, request = seen(path, **headers)

    assert response.status_code == 404
    assert request is None
    assert b"evil" not in response.content


def test_whatever_a_host_says_urls_are_made_from_the_configuration() -> None:
    """Inside, every request has come to the external URL."""  # S-117
    for host in ("auth.example.test", "AUTH.EXAMPLE.TEST", "localhost:9000", "127.0.0.1:9000", "[::1]:9000"):
        _, request = seen("/api/v3/", **{"Host": host, "X-Forwarded-Proto": "http", "Forwarded": "host=evil.test"})
        assert request is not None
        assert request.build_absolute_uri("/x") == "https://auth.example.test/x"
        assert request.is_secure()


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:9000", "auth.example.test:9000"])
def test_pages_at_the_plain_port_move_to_the_external_url(host: str) -> None:
    """Their cookies live there. The path and the query come along."""
    response, request = seen(f"{LOGIN}?next=/a", Host=host)

    assert request is None
    assert (response.status_code, response["Location"]) == (302, f"https://auth.example.test{LOGIN}?next=/a")


def test_moving_happens_once() -> None:
    """A proxy in front that rewrites Host gets the page the second time, not a loop."""
    first, _ = seen(Host="127.0.0.1:9000")
    cookie = first.cookies["doorward_moved"]
    assert (cookie["max-age"], cookie["httponly"]) == (30, True)

    second, request = seen(Host="127.0.0.1:9000", Cookie="doorward_moved=1")

    assert second.status_code == 200
    assert request is not None


@pytest.mark.parametrize(
    "path", ["/api/v3/core/users/", "/application/o/token/", "/application/o/x/jwks/", "/static/doorward.css"]
)
def test_machines_are_served_under_every_known_name(path: str) -> None:
    """They bring no cookies, and many do not follow redirects."""
    response, _ = seen(path, Host="localhost:9000")

    assert response.status_code == 200


def test_probes_may_ask_by_address() -> None:
    """Kubernetes asks the pod's address."""
    response, _ = seen("/-/health/ready/", Host="10.1.2.3:9000")

    assert response.status_code == 200


def test_a_form_is_never_moved() -> None:
    """A redirect would lose what was typed."""
    response, _ = seen(LOGIN, "POST", Host="localhost:9000")

    assert response.status_code == 200


def test_a_path_cannot_become_a_host() -> None:
    """`//evil.test` stays below the configured origin."""  # S-118
    request = RequestFactory().get("/", PATH_INFO="//evil.test/x", headers={"Host": "localhost:9000"})

    response = RequestFacts(lambda request: HttpResponse())(request)

    assert response.headers["Location"] == "https://auth.example.test/evil.test/x"


@pytest.mark.django_db
def test_a_prefix_of_a_proxy_is_not_believed(client: Client, flows: None) -> None:
    """X-Forwarded-Prefix has no say in where a redirect leads."""  # S-118
    answer = client.get("/flows/-/default/authentication/", headers={"X-Forwarded-Prefix": "//evil.test"})

    assert answer["Location"] == LOGIN


@pytest.mark.parametrize(
    ("proto", "kept"), [("https", "__Host-doorward_login=a; x=1; __Secure-b=2"), ("http", "x=1"), ("ws", "x=1")]
)
def test_cookies_that_need_tls_are_nobody_s_without_it(proto: str, kept: str) -> None:
    """A ``__Host-`` cookie over plain HTTP was made up: no browser would have sent it."""
    # S-315
    sent = "__Host-doorward_login=a; x=1; __Secure-b=2"
    _, request = seen("/api/v3/", Host="auth.example.test", Cookie=sent, **{"X-Forwarded-Proto": proto})

    assert request is not None
    assert request.META["HTTP_COOKIE"] == kept


def test_white_space_that_django_strips_hides_no_prefix() -> None:
    """U+2000 before the name, as a sibling host could set it."""
    # S-315
    sent = "\u2000__Host-doorward_login=a".encode().decode("latin-1")
    _, request = seen("/api/v3/", Host="auth.example.test", Cookie=sent, **{"X-Forwarded-Proto": "http"})

    assert request is not None
    assert not any(name.startswith("__Host-") for name in request.COOKIES)


@pytest.mark.parametrize(("named", "kept"), [("0123456789abcdef" * 2, True), ("trace/7", True), ("a b", False)])
def test_the_request_is_called_what_the_worker_calls_it(named: str, kept: bool) -> None:
    """One name in the worker's log, in events and in the answer."""
    response, _ = seen(Host="auth.example.test", **{"X-Request-Id": named})

    assert (response["X-authentik-id"] == named) is kept
