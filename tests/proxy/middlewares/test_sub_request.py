"""What the auth server is asked (contract: proxy.md 5.2 and 5.3, cell by cell)."""

from __future__ import annotations

import pytest

from doorward.messages.http import HttpAnswer
from proxy.made import HANDSHAKE, admitted
from proxy.middlewares.auth_server import Said, asked, entered, forward_auth

FORGED = (
    (b"X-Forwarded-For", b"1.2.3.4"),
    (b"X-Forwarded-Host", b"outside.test"),
    (b"X-Forwarded-Proto", b"https"),
    (b"X-Forwarded-Port", b"444"),
    (b"X-Forwarded-Uri", b"/forged"),
    (b"X-Forwarded-Method", b"DELETE"),
    (b"X-Forwarded-Prefix", b"/p"),
    (b"X-Real-Ip", b"1.2.3.4"),
    (b"X-Original-URL", b"/o"),
    (b"Forwarded", b"for=1.2.3.4"),
)
THIS_HOP = {
    "x-forwarded-method": ["POST"],
    "x-forwarded-proto": ["http"],
    "x-forwarded-port": ["8080"],
    "x-forwarded-uri": ["/x/y?q=1"],
    "x-forwarded-host": ["app.example.test:8080"],
    "x-forwarded-for": ["192.0.2.7"],
}


async def question_for(*headers: tuple[bytes, bytes], trusted: bool = False, **options: object) -> dict[str, list[str]]:
    authority = Said(HttpAnswer(200))
    request = admitted(
        *headers,
        method=b"POST",
        target=b"/x//y?q=1",
        host=(b"Host", b"app.example.test:8080"),
        trusted=["192.0.2.7"] if trusted else [],
    )
    assert await entered(forward_auth(authority, **options), request) is None
    assert authority.question.method == b"GET"
    assert authority.question.target == b"/verify?from=proxy"
    return asked(authority.question)


@pytest.mark.parametrize("trust", [None, False])
@pytest.mark.parametrize("trusted", [False, True])
async def test_without_trust_only_this_hop_speaks(trust: bool | None, trusted: bool) -> None:
    """Unset or false: everything is what this hop saw, for all names, whoever the peer is."""  # S-718
    fields = await question_for(*FORGED, trusted=trusted, trust_forward_header=trust)

    assert fields == {"host": ["auth.test:9"], **THIS_HOP}


async def test_with_trust_and_a_strange_peer_it_is_the_same() -> None:
    """True at an entry point that trusts nobody gives the proxy's own values, and its name."""  # S-718, S-101
    fields = await question_for(*FORGED, trust_forward_header=True)

    assert fields == {
        "host": ["auth.test:9"],
        **THIS_HOP,
        "x-forwarded-server": ["proxy-1"],
        "x-real-ip": ["192.0.2.7"],
    }


async def test_with_trust_and_a_trusted_peer_the_chain_speaks() -> None:
    """True behind a listed proxy: what it says about the client is passed on, the list grows by it."""  # S-102
    fields = await question_for(*FORGED, trusted=True, trust_forward_header=True)

    assert {name: values for name, values in fields.items() if name.startswith("x-")} == {
        "x-forwarded-for": ["1.2.3.4, 192.0.2.7"],
        "x-forwarded-host": ["outside.test"],
        "x-forwarded-proto": ["https"],
        "x-forwarded-port": ["444"],
        "x-forwarded-uri": ["/forged"],
        "x-forwarded-method": ["DELETE"],
        "x-forwarded-prefix": ["/p"],
        "x-real-ip": ["1.2.3.4"],
        "x-original-url": ["/o"],
        "x-forwarded-server": ["proxy-1"],
    }


async def test_contents_of_the_question() -> None:
    """The client's own fields, no body, no framing, nothing of an upgrade, no invented User-Agent."""  # S-123
    fields = await question_for(
        (b"Content-Type", b"text/plain"),
        (b"Content-Length", b"3"),
        (b"Expect", b"100-continue"),
        (b"Cookie", b"a=1"),
        (b"Cookie", b"b=2"),
        (b"Accept-Encoding", b"br"),
        (b"Connection", b"TE, X-Drop"),
        (b"TE", b"trailers"),
        (b"X-Drop", b"1"),
    )

    assert {name: values for name, values in fields.items() if not name.startswith("x-forwarded-")} == {
        "host": ["auth.test:9"],
        "content-type": ["text/plain"],
        "cookie": ["a=1", "b=2"],
        "accept-encoding": ["br"],
    }


async def test_user_agent_is_the_clients() -> None:
    """A User-Agent is passed on as it is."""  # S-123
    assert (await question_for((b"User-Agent", b"x/1")))["user-agent"] == ["x/1"]


async def test_other_identity_copies_are_shown_to_the_auth_server() -> None:
    """Fields of other auth servers pass; those of the outpost never do."""  # S-108
    fields = await question_for(
        (b"Remote-User", b"evil"), (b"X-authentik-username", b"evil"), auth_response_headers=("Remote-User",)
    )

    assert fields["remote-user"] == ["evil"]
    assert "x-authentik-username" not in fields


@pytest.mark.parametrize(
    ("trust", "expected"),
    [
        (True, {"host", "cookie", "x-forwarded-server", "x-real-ip", *THIS_HOP}),
        (False, {"host", "cookie", *THIS_HOP}),
    ],
)
async def test_only_listed_request_headers(trust: bool, expected: set[str]) -> None:
    """``authRequestHeaders`` is a list of what may go; what the auth server needs to know goes anyway."""
    fields = await question_for(
        (b"Cookie", b"a=1"), (b"User-Agent", b"x"), (b"Accept", b"*/*"),
        auth_request_headers=("cookie",), trust_forward_header=trust,
    )  # fmt: skip

    assert set(fields) == expected


@pytest.mark.parametrize(("trust", "proto"), [(True, "wss"), (False, "https"), (None, "https")])
async def test_websocket_handshakes_are_asked_about(trust: bool | None, proto: str) -> None:
    """A handshake is asked about like a page, without its upgrade."""  # S-226
    authority = Said(HttpAnswer(200))
    await entered(forward_auth(authority, trust_forward_header=trust), admitted(*HANDSHAKE, tls=True))
    fields = asked(authority.question)

    assert fields["x-forwarded-proto"] == [proto]
    assert not {"upgrade", "connection"} & set(fields)
    assert "sec-websocket-key" in fields


async def test_method_can_be_kept() -> None:
    """``preserveRequestMethod`` asks with the client's method."""
    authority = Said(HttpAnswer(200))
    await entered(forward_auth(authority, preserve_request_method=True), admitted(method=b"PROPFIND"))

    assert authority.question.method == b"PROPFIND"


async def test_changed_path_is_judged_as_changed() -> None:
    """What an earlier middleware made of the path is what is judged and forwarded."""
    authority = Said(HttpAnswer(200))
    request = admitted(target=b"/api/x")
    request.path = b"/x"
    await entered(forward_auth(authority), request)

    assert asked(authority.question)["x-forwarded-uri"] == ["/x"]


@pytest.mark.parametrize("address", ["auth.test/x", "unix:/run/a", "ftp://a/x", "http://", "http://u:p@a/"])
def test_impossible_address_breaks_its_router(address: str) -> None:
    """An address that cannot be asked is told when the table is built."""
    with pytest.raises(ValueError, match=r"address|URL"):
        forward_auth(Said(HttpAnswer(200)), address=address)
