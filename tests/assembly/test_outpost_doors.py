"""The outpost as a service of the identity entry point."""

from __future__ import annotations

import inspect

import msgspec
import pytest

from doorward.assembly.outpost_doors import OutpostService
from outpost.world import World, provider
from proxy.made import admitted

HOST = "app.example.test"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/public/a", 200),
        ("/secret/../public/a", 302),
        ("/secret/%2e%2e/public/a", 302),
        ("/x/../../../auth/envoy/public/a", 302),
        ("//public/a", 302),
        ("/secret/..;/public/a", 400),
    ],
)
async def test_envoy_asks_for_the_path_that_its_application_gets(path: str, status: int) -> None:
    """A path that servers could read in two ways opens nothing, although our own entry point tidies paths."""  # S-203
    world = World(msgspec.structs.replace(provider(1, HOST), skip_path_regex="^/public/"))
    request = admitted(
        (b"X-Forwarded-Proto", b"https"),
        target=f"/outpost.goauthentik.io/auth/envoy{path}".encode(),
        host=(b"Host", HOST.encode()),
        peer="127.0.0.1",
        trusted=["127.0.0.0/8"],
    )
    answer = OutpostService(world.outpost).answer(request, b"")
    if inspect.isawaitable(answer):
        answer = await answer

    assert answer.status == status
