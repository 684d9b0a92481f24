"""What a gRPC server says about its health, as messages and over a connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from doorward.messages.http import Header, HttpAnswer
from doorward.messages.routing import HealthCheck
from doorward.net.client import Client
from doorward.net.grpc_health import QUESTION, complaint
from doorward.net.health_probe import Probe, ask
from proxy.services.http2_application import Asked, Http2Application

GRPC: Header = (b"content-type", b"application/grpc")
CHECK = HealthCheck(grpc=True, timeout=10.0)


def message(payload: bytes, compressed: bool = False) -> bytes:
    return bytes((compressed,)) + len(payload).to_bytes(4, "big") + payload


def said(body: bytes = b"", *fields: Header, status: int = 200) -> str:
    return complaint(HttpAnswer(status, (GRPC, *fields), body))


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"\x08\x01", ""),
        (b"\x08\x81\x00", ""),  # the same number, written longer
        (b"\x12\x03abc\x08\x01\x19" + bytes(8) + b"\x25" + bytes(4), ""),  # fields of a later version
        (b"", "it is UNKNOWN"),
        (b"\x08\x00", "it is UNKNOWN"),
        (b"\x08\x02", "it is NOT_SERVING"),
        (b"\x08\x03", "it is SERVICE_UNKNOWN"),
        (b"\x08\x09", "it is 9"),
        (b"\x08\x01\x08\x02", "it is NOT_SERVING"),  # the last one counts
        (b"\x08", "its answer is no gRPC message"),
        (b"\x08\x81", "its answer is no gRPC message"),
        (b"\x12\x7fabc", "its answer is no gRPC message"),
        (b"\x0b\x08\x01", "its answer is no gRPC message"),
    ],
)
def test_only_serving_is_healthy(payload: bytes, why: str) -> None:
    """Whatever else it says, or cannot say, is not."""
    assert said(message(payload)) == why


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (said(), "its answer is no gRPC message"),
        (said(message(b"\x08\x01") * 2), "its answer is no gRPC message"),
        (said(message(b"\x08\x01", compressed=True)), "its answer is no gRPC message"),
        (said(b"", (b"grpc-status", b"12")), "it has no health service (grpc.health.v1.Health)"),
        (said(b"", (b"grpc-status", b"5")), "it answered grpc-status 5"),
        (said(message(b"\x08\x01"), status=503), "it answered 503"),
    ],
)
def test_answers_that_are_none(answer: str, why: str) -> None:
    """Each with its reason."""
    assert answer == why


@given(st.binary(max_size=40))
def test_nothing_that_a_server_sends_is_our_failure(body: bytes) -> None:
    """Any bytes are an answer, and as good as none unless they say SERVING."""
    assert said(body) == "" or said(body)
    assert said(message(body)) == "" or said(message(body))


@pytest_asyncio.fixture
async def app() -> AsyncIterator[Http2Application]:
    app = Http2Application()
    yield app
    await app.stop()
    await asyncio.sleep(0.01)


async def asked(app: Http2Application, check: HealthCheck = CHECK) -> str:
    server, client = await app.start(), Client()
    try:
        return await ask(client, Probe(server.url, None, check))
    finally:
        await client.close()


async def test_what_a_server_is_asked(app: Http2Application) -> None:
    """About itself as a whole, as gRPC's own clients do it; ``hostname`` and ``headers`` are the operator's."""

    async def serves(asked: Asked) -> None:
        await asked.complete()
        asked.respond(200, GRPC)
        await asked.send(message(b"\x08\x01"))
        asked.trail((b"grpc-status", b"0"))

    app.handler = serves
    check = HealthCheck(grpc=True, timeout=10.0, hostname="inner.test", headers=(("X-A", "b"),))

    assert await asked(app, check) == ""
    (question,) = app.asked
    assert question.path == b"/grpc.health.v1.Health/Check"
    assert (question.values(b":method"), question.values(b":authority")) == ([b"POST"], [b"inner.test"])
    assert (question.values(b"te"), question.values(b"content-type")) == ([b"trailers"], [b"application/grpc"])
    assert question.values(b"x-a") == [b"b"]
    assert bytes(question.body) == QUESTION


async def test_a_server_that_refuses(app: Http2Application) -> None:
    """An error stands in the head."""

    async def refuses(asked: Asked) -> None:
        asked.respond(200, GRPC, (b"grpc-status", b"14"), ended=True)

    app.handler = refuses

    assert await asked(app) == "it answered grpc-status 14"


async def test_a_server_of_http1_cannot_be_asked_so() -> None:
    """The reason says what its URL should be."""
    client = Client()

    why = await ask(client, Probe("http://127.0.0.1:1", None, CHECK))

    assert "h2c:// or https://" in why
    await client.close()


async def test_an_ordinary_check_of_a_server_of_http2(app: Http2Application) -> None:
    """``mode: http`` works as well, in the server's own version."""

    async def answers(asked: Asked) -> None:
        asked.respond(204 if asked.path == b"/health" else 500, ended=True)

    app.handler = answers

    assert await asked(app, HealthCheck("/health", timeout=10.0)) == ""
    assert await asked(app, HealthCheck("/other", timeout=10.0)) == "it answered 500"
