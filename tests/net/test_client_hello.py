"""What is read from a ClientHello before the handshake, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.net.client_hello import MAX_BYTES, ClientHello, MalformedHello, read_client_hello
from net.hello import extension, message, real_hello, records, server_name, vector

REAL = real_hello("app.example.test", "h2", "http/1.1")


def test_a_real_client_is_understood() -> None:
    """The name and the protocols of OpenSSL's own client."""
    hello = read_client_hello(REAL)

    assert hello is not None
    assert (hello.server_name, hello.protocols) == ("app.example.test", ("h2", "http/1.1"))
    assert 29 in hello.groups  # x25519


def test_a_client_that_names_nobody() -> None:
    """No name, no protocols: that is allowed."""
    hello = read_client_hello(real_hello(None))

    assert hello is not None
    assert (hello.server_name, hello.protocols) == ("", ())


def test_a_client_without_extensions() -> None:
    """TLS 1.2 allows to leave them out altogether."""
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\xc0\x2f" + b"\x01\x00"

    assert read_client_hello(records(b"\x01" + vector(3, body))) == ClientHello()


def test_every_beginning_asks_for_more() -> None:
    """Byte by byte, nothing is decided before the message is complete."""  # S-048
    for size in range(len(REAL)):
        assert read_client_hello(REAL[:size]) is None


@pytest.mark.parametrize("size", [1, 3, 4, 5, 40, 300])
def test_records_of_any_size_say_the_same(size: int) -> None:
    """A message cut into records is the same message."""  # S-048
    whole = read_client_hello(REAL)

    assert read_client_hello(records(REAL[5:], size)) == whole
    assert read_client_hello(records(REAL[5:], size) + b"\x14\x03\x03\x00\x01\x01") == whole


@pytest.mark.parametrize(("name", "read"), [(b"App.Example.TEST", "app.example.test"), (b"a.test.", "a.test")])
def test_names_have_one_form(name: bytes, read: str) -> None:
    """Case and a trailing dot do not make another name."""  # S-047
    hello = read_client_hello(records(message(server_name(name))))

    assert hello is not None
    assert hello.server_name == read


NAMES = [
    b"",
    b"a..test",
    b".test",
    b"a test",
    b"a\x00.test",
    b"\xe4.test",
    b"a/b",
    b"*.test",
    b"a:1",
    b"a" * 64,
    b"a.b" * 90,
]
BENT = {
    "other content": b"\x17\x03\x03\x00\x05hello",
    "SSL 2": b"\x16\x02\x00\x00\x05hello",
    "empty record": b"\x16\x03\x01\x00\x00",
    "huge record": b"\x16\x03\x01\x40\x01",
    "another message": records(b"\x02" + message()[1:]),
    "alert in between": records(message()[:10]) + b"\x15\x03\x01\x00\x02\x01\x00",
    "long session": records(message(session=bytes(33))),
    "odd suites": records(message(suites=b"\x13\x01\x13")),
    "no suites": records(message(suites=b"")),
    "bytes behind": records(message(tail=b"x")),
    "twice": records(message(server_name(b"a.test"), server_name(b"b.test"))),
    "two names": records(
        message(extension(0, vector(2, b"\x00" + vector(2, b"a.test") + b"\x00" + vector(2, b"b.test"))))
    ),
    "name of another type": records(message(server_name(b"a.test", kind=1))),
    "name cut short": records(message(extension(0, b"\x00\x09\x00\x00\x20a.test"))),
    "no protocols": records(message(extension(16, b"\x00\x00"))),
    "nameless protocol": records(message(extension(16, b"\x00\x01\x00"))),
    "odd groups": records(message(extension(10, b"\x00\x03\x00\x1d\x00"))),
    "too long": records(b"\x01" + (MAX_BYTES + 1).to_bytes(3, "big")),
    **{repr(name): records(message(server_name(name))) for name in NAMES},
}


@pytest.mark.parametrize("data", BENT.values(), ids=BENT.keys())
def test_what_is_not_exactly_a_client_hello_is_refused(data: bytes) -> None:
    """Nobody can make two readers see two names."""
    with pytest.raises(MalformedHello):
        read_client_hello(data)


def test_there_is_an_end_to_waiting() -> None:
    """Endless small records do not collect."""
    with pytest.raises(MalformedHello):
        read_client_hello(records(b"\x01\x00\x7f\xff" + bytes(20000), 1)[:MAX_BYTES])


@given(st.binary(max_size=400))
def test_no_bytes_break_it(data: bytes) -> None:
    """Any bytes are a message, the beginning of one, or refused."""
    for given_bytes in (data, b"\x16\x03\x01" + data, records(b"\x01" + vector(3, data)), REAL[:60] + data):
        try:
            read_client_hello(given_bytes)
        except MalformedHello:
            pass
