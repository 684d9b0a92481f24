"""What a client may say, and what it may not: the first thing that happens to a request."""

from __future__ import annotations

import pytest

from doorward.messages.entry_points import EntryPoint
from doorward.messages.http import Header
from doorward.proxy.forwarding import Admission, admit, port_of
from doorward.proxy.request import ConnectionFacts
from doorward.wire.http1.errors import Rejected
from proxy.made import HANDSHAKE, admitted, head, values

SPEAKING = (
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server",
    "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Prefix", "X-Forwarded-Scheme", "X-Forwarded-Ssl",
    "X-Scheme", "X-Real-Ip", "Forwarded", "X-Original-URL", "X-Original-URI", "X-Original-Method",
    "X-Original-Host", "X-Rewrite-URL", "X-Forwarded-Tls-Client-Cert", "X-Forwarded-Tls-Client-Cert-Info",
    "X-Forwarded-Client-Cert", "True-Client-Ip", "X-Client-Ip", "CF-Connecting-IP", "Front-End-Https",
)  # fmt: skip


@pytest.mark.parametrize("name", SPEAKING)
@pytest.mark.parametrize("spelling", [str, str.upper, str.lower])
def test_a_stranger_cannot_speak_for_a_client(name: str, spelling: type[str]) -> None:
    """No field that speaks for the client keeps an untrusted peer's value, in whatever case."""  # S-101
    request = admitted((spelling(name).encode(), b"evil"))

    assert all(value != b"evil" for _, value in request.headers)


def test_our_own_values_come_from_the_socket() -> None:
    """An application sees who really connected, how, and to which host."""  # S-101
    request = admitted((b"Accept", b"*/*"), host=(b"Host", b"App.Example.test.:8080"))

    assert list(request.headers) == [
        (b"Accept", b"*/*"),
        (b"X-Forwarded-Proto", b"http"),
        (b"X-Forwarded-Port", b"8080"),
        (b"X-Forwarded-Host", b"app.example.test:8080"),
        (b"X-Real-Ip", b"192.0.2.7"),
        (b"X-Forwarded-For", b"192.0.2.7"),
        (b"X-Forwarded-Server", b"proxy-1"),
    ]
    assert (request.client, request.peer, request.trusted) == ("192.0.2.7", "192.0.2.7", False)


def test_a_trusted_peer_may_speak() -> None:
    """From a listed proxy the values stay, the lists are joined in order, and the proxy itself is added."""  # S-102
    request = admitted(
        (b"X-Forwarded-For", b"1.2.3.4"),
        (b"X-Forwarded-For", b"5.6.7.8"),
        (b"X-Forwarded-Proto", b"https"),
        (b"X-Forwarded-Host", b"outside.test"),
        (b"X-Forwarded-Uri", b"/x"),
        (b"X-Forwarded-Server", b"other"),
        (b"X-Original-URI", b"/y"),
        (b"X-Real-Ip", b""),
        peer="10.0.0.9",
        trusted=["10.0.0.0/8"],
    )

    assert values(request, b"x-forwarded-for") == [b"1.2.3.4, 5.6.7.8, 10.0.0.9"]
    assert values(request, b"x-forwarded-proto") == [b"https"]
    assert values(request, b"x-forwarded-port") == [b"443"]
    assert values(request, b"x-forwarded-host") == [b"outside.test"]
    assert values(request, b"x-forwarded-uri") == [b"/x"]
    assert values(request, b"x-original-uri") == [b"/y"]
    assert values(request, b"x-forwarded-server") == [b"proxy-1"]
    assert values(request, b"x-real-ip") == [b"10.0.0.9"]
    assert request.trusted


@pytest.mark.parametrize("name", [b"X-Forwarded-Host", b"X-Forwarded-Uri", b"X-Forwarded-Proto", b"X-Original-URL"])
def test_a_trusted_peer_says_a_thing_once(name: bytes) -> None:
    """Of two contradicting values one may be a client's, which a proxy let stand: refused. The same twice is one."""
    # S-120, S-044
    with pytest.raises(Rejected, match="dup_forwarding"):
        admitted((name, b"one.test"), (name.lower(), b"two.test"), peer="10.0.0.9", trusted=["10.0.0.9"])

    request = admitted((name, b"one.test"), (name, b"one.test"), peer="10.0.0.9", trusted=["10.0.0.9"])
    assert values(request, name.lower()) == [b"one.test"]


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        (b"6.6.6.6, 10.0.0.9", "6.6.6.6"),
        (b"9.9.9.9, 6.6.6.6, 10.0.0.1", "6.6.6.6"),
        (b"6.6.6.6,192.0.2.1 , 10.0.0.9", "192.0.2.1"),
        (b"10.0.0.5", "10.0.0.5"),
        (b"6.6.6.6, ::ffff:10.0.0.1", "6.6.6.6"),
        (b"fe80::1%eth0", "fe80::1"),
        (b"2001:db8::1", "2001:db8::1"),
        (b"a", "10.0.0.9"),
        (b"unknown", "10.0.0.9"),
        (b"", "10.0.0.9"),
        (b"1.2.3.4, unknown", "10.0.0.9"),
        (b"010.0.0.1", "10.0.0.9"),
        (b"10.1", "10.0.0.9"),
        (b"[::1]:443", "10.0.0.9"),
        (b"1.2.3.4:80", "10.0.0.9"),
        (b"," * 10_000, "10.0.0.9"),
        (b"\xd9\xa1.2.3.4", "10.0.0.9"),
    ],
)
def test_client_is_the_last_one_we_need_not_believe(chain: bytes, client: str) -> None:
    """The rightmost address that is not trusted; the peer when the list is none."""  # S-103 S-104 S-105
    request = admitted((b"X-Forwarded-For", chain), peer="10.0.0.9", trusted=["10.0.0.0/8"])

    assert request.client == client


@pytest.mark.parametrize(
    ("peer", "trusted", "believed"),
    [
        ("::ffff:10.0.0.1", ["10.0.0.0/8"], True),
        ("10.0.0.1", ["::ffff:10.0.0.0/104"], False),
        ("fe80::1%eth0", ["fe80::/10"], True),
        ("", ["10.0.0.0/8", "::/0"], False),
        ("", ["unix"], True),
        ("10.0.0.1", [], False),
        ("127.0.0.1", [], False),
    ],
)
def test_whom_we_believe(peer: str, trusted: list[str], believed: bool) -> None:
    """Addresses compare as what they are; a Unix peer counts when listed; nobody by default."""  # S-105 S-129
    assert admitted(peer=peer, trusted=trusted).trusted is believed


def test_insecure_believes_everybody() -> None:
    """The switch does what it says: anybody's word is taken, and the farthest address is the client."""
    request = admitted((b"X-Forwarded-For", b"1.1.1.1, 2.2.2.2"), (b"X-Forwarded-Proto", b"https"), insecure=True)

    assert (request.client, request.trusted) == ("1.1.1.1", True)
    assert values(request, b"x-forwarded-proto") == [b"https"]


@pytest.mark.parametrize(
    "listed", [b"X-Real-Ip, x-forwarded-for, X-Forwarded-Host", b"Host", b"close, x-forwarded-proto"]
)
@pytest.mark.parametrize("trusted", [[], ["192.0.2.7"]])
def test_connection_cannot_remove_ours(listed: bytes, trusted: list[str]) -> None:
    """Naming our fields in Connection does not take them away."""  # S-106, S-107
    request = admitted((b"Connection", listed), trusted=trusted)

    names = {name.lower() for name, _ in request.headers}
    assert {b"x-real-ip", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"} <= names
    assert request.authority == b"app.example.test"
    assert b"connection" not in names


def test_connection_removes_the_clients_own() -> None:
    """What a client lists in Connection ends here, as the standard says."""  # S-107
    request = admitted((b"Connection", b"Cookie, X-Mine"), (b"Cookie", b"a=1"), (b"X-Mine", b"1"), (b"X-Other", b"2"))

    assert values(request, b"cookie") == values(request, b"x-mine") == []
    assert values(request, b"x-other") == [b"2"]


@pytest.mark.parametrize(
    "name",
    [
        b"X-authentik-username", b"x-authentik-entitlements", b"X-AUTHENTIK-JWT", b"X-authentik-anything",
        b"X_authentik_username", b"X-authentik_username", b"X.Authentik.Username", b"X!authentik~username",
        b"x_Authentik-meta_app", b"X__authentik__uid",
    ],
)  # fmt: skip
@pytest.mark.parametrize("aliases", ["delete", "keep"])
@pytest.mark.parametrize("trusted", [[], ["192.0.2.7"]])
def test_nobody_says_who_the_user_is(name: bytes, aliases: str, trusted: list[str]) -> None:
    """Identity fields go in every spelling and from everybody, even where aliases stay."""  # S-108 S-109
    request = admitted((name, b"akadmin"), aliases=aliases, trusted=trusted)

    assert all(value != b"akadmin" for _, value in request.headers)


@pytest.mark.parametrize(
    "name", [b"X_Forwarded_For", b"x.real.ip", b"Content_Length", b"Transfer_Encoding", b"X_Original_URL"]
)
@pytest.mark.parametrize("trusted", [[], ["192.0.2.7"]])
def test_kept_aliases_are_never_ours(name: bytes, trusted: list[str]) -> None:
    """Where aliases are kept, those of managed names still go, from a trusted peer as well."""  # S-109
    request = admitted((name, b"evil"), aliases="keep", trusted=trusted)

    assert all(value != b"evil" for _, value in request.headers)


@pytest.mark.parametrize("name", [b"X_Custom", b"X.Custom", b"X!Custom", b"X~Custom"])
def test_alias_strategies(name: bytes) -> None:
    """A name with another character is deleted by default, kept on request, or refuses the whole request."""  # S-109
    assert all(value != b"1" for _, value in admitted((name, b"1")).headers)
    assert (name, b"1") in admitted((name, b"1"), aliases="keep").headers
    with pytest.raises(Rejected) as caught:
        admitted((name, b"1"), aliases="reject")
    assert (caught.value.status, caught.value.reason) == (400, "alias_header")


@pytest.mark.parametrize(
    "header",
    [
        (b"Proxy", b"http://evil.test"),  # S-121
        (b"Keep-Alive", b"1"),
        (b"Proxy-Connection", b"close"),
        (b"Proxy-Authorization", b"x"),
        (b"TE", b"trailers"),
        (b"Trailer", b"x"),
        (b"Upgrade", b"h2c"),
        (b"HTTP2-Settings", b"AAMAAABkAAQCAAAAAAIAAAAA"),  # S-037
        (b"Content-Length", b"0"),
        (b"Expect", b"100-continue"),
        (b"X-Doorward-Session", b"00"),
    ],
)
def test_what_never_goes_on(header: Header) -> None:
    """Fields of this hop alone, framing, and what becomes a variable in CGI stay here."""
    request = admitted(header)

    assert values(request, header[0].lower()) == []


@pytest.mark.parametrize(("tls", "proto"), [(False, b"ws"), (True, b"wss")])
def test_websocket_handshakes_say_so(tls: bool, proto: bytes) -> None:
    """``X-Forwarded-Proto`` is ws or wss for a handshake, and the handshake's own fields stay."""
    request = admitted(*HANDSHAKE, tls=tls)

    assert request.websocket
    assert values(request, b"x-forwarded-proto") == [proto]
    assert values(request, b"sec-websocket-key") == [b"dGhlIHNhbXBsZSBub25jZQ=="]
    assert values(request, b"upgrade") == []


def test_port_cannot_be_talked_into_443() -> None:
    """An untrusted claim of https does not change the port."""  # S-119
    request = admitted((b"X-Forwarded-Proto", b"https"))

    assert values(request, b"x-forwarded-port") == [b"80"]


@pytest.mark.parametrize(
    ("authority", "secure", "port"),
    [
        (b"a:9080", False, b"9080"),
        (b"a", True, b"443"),
        (b"a", False, b"80"),
        (b"[::1]", False, b"80"),
        (b"[::1]:81", True, b"81"),
        (b"", False, b"80"),
    ],
)
def test_port_derivation(authority: bytes, secure: bool, port: bytes) -> None:
    """The port in Host, else the scheme's own."""
    assert port_of(authority, secure) == port


@pytest.mark.parametrize("name", [b"Authorization", b"Origin", b"Content-Type", b"Sec-WebSocket-Key"])
def test_single_fields_come_once(name: bytes) -> None:
    """A field that can only have one value is refused when it comes twice."""  # S-044
    with pytest.raises(Rejected) as caught:
        admitted((name, b"a"), (name.lower(), b"b"))

    assert caught.value.reason == "dup_singleton"


def test_other_fields_stay_as_they_are() -> None:
    """Order, case and repetition of everything else are the client's."""
    sent = [
        (b"Cookie", b"a=1"),
        (b"x-CUSTOM", b"\xe9"),
        (b"Cookie", b"b=2"),
        (b"X-Forwarded-User", b"u"),
        (b"Via", b"1.1 x"),
    ]

    assert list(admitted(*sent).headers[: len(sent)]) == sent


def test_remembered_requests_do_not_share_anything() -> None:
    """The same header block twice, from two peers and with TLS: each request is its own."""
    admission = Admission(EntryPoint("web", "", 80), "proxy-1")
    made = head((b"Accept", b"*/*"))
    first = admission.admit(made, ConnectionFacts("192.0.2.7", 80, False))
    first.replace(b"Accept", b"changed")
    second = admission.admit(made, ConnectionFacts("192.0.2.7", 80, False))
    third = admission.admit(made, ConnectionFacts("192.0.2.8", 80, True))

    assert values(second, b"accept") == [b"*/*"]
    assert values(second, b"x-real-ip") == [b"192.0.2.7"]
    assert values(third, b"x-real-ip") == [b"192.0.2.8"]
    assert values(third, b"x-forwarded-proto") == [b"https"]


def test_memory_of_header_blocks_is_bounded() -> None:
    """A client that never repeats itself cannot fill our memory."""  # S-911
    admission = Admission(EntryPoint("web", "", 80))
    for number in range(300):
        admission.admit(head((b"X-Long", b"%d" % number + b"x" * 16000)), ConnectionFacts("192.0.2.7", 80, False))

    assert admission._size <= 4 << 20


def test_module_function_admits_as_well() -> None:
    """The short form gives the same request."""
    request = admit(head(), ConnectionFacts("192.0.2.7", 80, False), EntryPoint("web", "", 80))

    assert (request.host, request.entry_point) == (b"app.example.test", "web")


@pytest.mark.parametrize(
    "path", ["/../../../health", "/%2e%2e/%2e%2e/health", "/a/../../nginx", "/./../../../../x?y=1"]
)
def test_nobody_climbs_out_of_envoys_prefix(path: str) -> None:
    """What Envoy asks below our prefix is judged there or refused: no other page of ours may say yes."""  # S-203
    with pytest.raises(Rejected) as refused:
        admitted(target=b"/outpost.goauthentik.io/auth/envoy" + path.encode())

    assert (refused.value.status, refused.value.reason) == (400, "target")
    kept = admitted(target=b"/outpost.goauthentik.io/auth/envoy/a/../b")
    assert (kept.path, kept.target[-7:]) == (b"/outpost.goauthentik.io/auth/envoy/b", b"/a/../b")
