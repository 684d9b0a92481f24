"""The name of a request: towards the application, in what an error answer says, and who may choose it."""

from __future__ import annotations

import re

import pytest

from proxy.engine.stage import Stage, get
from proxy.made import admitted


async def test_every_request_has_a_name_of_its_own(stage: Stage) -> None:
    """The application gets one ``X-Request-Id``, another one each time, whatever the client says it is called."""
    await stage.start()
    client = await stage.client()

    for _ in range(2):
        await client.ask(get(b"/", b"X-Request-Id: mine", b"X_Request_Id: mine too"))

    names = [
        [value for name, value in request.headers if name.lower().replace(b"_", b"-") == b"x-request-id"]
        for request in stage.application.requests
    ]
    assert all(len(given) == 1 and re.fullmatch(rb"[0-9a-f]{32}", given[0]) for given in names)
    assert names[0] != names[1]


async def test_an_error_names_the_request(stage: Stage) -> None:
    """What a user reads on the page or in the fields is what the log says."""
    await stage.start()
    await stage.application.stop()
    client = await stage.client()

    answer = await client.ask(get(b"/", b"Accept: text/html"))

    assert answer.status == 502
    (name,) = answer.values(b"x-request-id")
    assert re.fullmatch(rb"[0-9a-f]{32}", name)
    assert b"Request " + name in answer.body


@pytest.mark.parametrize(
    ("value", "peer", "kept"),
    [
        (b"trace-7f/1", "10.0.0.9", True),
        (b"trace-7f/1", "192.0.2.7", False),
        (b"a b", "10.0.0.9", False),
        (b"<script>", "10.0.0.9", False),
        (b"x" * 129, "10.0.0.9", False),
        (b"", "10.0.0.9", False),
    ],
)
def test_a_trusted_proxy_may_name_it(value: bytes, peer: str, kept: bool) -> None:
    """One name through a chain of proxies, as long as it is nothing but a name."""
    request = admitted((b"X-Request-Id", value), peer=peer, trusted=("10.0.0.0/8",), named=False)

    assert (request.id == value) is kept
    assert request.first(b"x-request-id") is None
