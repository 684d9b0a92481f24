"""A connected outpost whose configuration names another token, or another way to its identity provider."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import msgspec

from doorward.assembly.outpost_connected import ConnectedOutpost
from doorward.assembly.outpost_files import watch
from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.outposts import OutpostConfiguration, ProxyProvider
from doorward.messages.sessions import FetchState, IdentityState
from doorward.messages.standalone import ConnectedApplications, Reach
from outpost.world import provider

HERE, THERE = "http://127.0.0.1:9000", "http://127.0.0.1:9001"
ENDED = b"e" * 32


class Identities:
    """Two identity providers by their ports, each with tokens of its outposts; a ``Client``."""

    def __init__(self) -> None:
        self.outposts = {
            (HERE, "first"): provider(1, "app.example.test"),
            (HERE, "second"): provider(2, "app2.example.test"),
            (THERE, "first"): provider(1, "app.example.test", cookie_secret="o" * 40),
        }
        self.ended: tuple[bytes, ...] = ()
        self.asked: list[int] = []
        self.go = asyncio.Event()
        self.go.set()

    async def fetch(self, question: HttpQuestion, origin: Any, *, timeout: float, max_body: int) -> HttpAnswer:
        token = dict(question.headers)[b"Authorization"].removeprefix(b"Bearer ").decode()
        since = msgspec.msgpack.decode(question.body, type=FetchState).since
        self.asked.append(since)
        await self.go.wait()
        serves = self.outposts.get((f"http://{origin.host}:{origin.port}", token))
        if serves is None:
            return HttpAnswer(403)
        whole = msgspec.msgpack.encode(OutpostConfiguration(position=7, providers=(serves,), version="1"))
        state = IdentityState(7, self.ended if since >= 0 else (), False, whole if since < 0 else b"")
        return HttpAnswer(200, ((b"Content-Type", b"application/msgpack"),), msgspec.msgpack.encode(state))


class Moving:
    """The outpost, and what it has told."""

    def __init__(self) -> None:
        self.identities = Identities()
        self.cut: list[tuple[tuple[bytes, ...], bool]] = []
        self.serves: list[ProxyProvider] = []
        self.outpost = ConnectedOutpost(
            plan(HERE, "first"), (), cast(Any, self.identities), lambda: 1000.0, self._cut, self._changed, print
        )

    def _cut(self, id_hashes: Iterable[bytes], everything: bool) -> None:
        self.cut.append((tuple(id_hashes), everything))

    def _changed(self, configuration: OutpostConfiguration) -> None:
        self.serves = list(configuration.providers)

    @property
    def forgot_all(self) -> bool:
        return any(everything for _, everything in self.cut)

    async def moved(self, url: str, token: str) -> None:
        await self.outpost._look()
        self.cut.clear()
        self.outpost.use(plan(url, token))
        await self.outpost._look()


def plan(url: str, token: str) -> ConnectedApplications:
    return ConnectedApplications(Reach(url), token, 1.0, 3600.0)


async def test_another_outposts_token() -> None:
    """What the other outpost serves is served, what ended meanwhile has ended; whether nobody of these sessions can be
    known there is told by what they share."""
    moving = Moving()
    moving.identities.outposts[HERE, "second"] = moving.identities.outposts[HERE, "first"]
    moving.identities.ended = (ENDED,)

    await moving.moved(HERE, "second")

    assert moving.identities.asked == [-1, 7, -1]
    assert not moving.forgot_all
    assert any(ENDED in ids for ids, _ in moving.cut)


async def test_other_applications_have_other_sessions() -> None:
    """Nothing is in common: nothing is kept."""
    moving = Moving()

    await moving.moved(HERE, "second")

    assert [each.pk for each in moving.serves] == [2]
    assert moving.forgot_all


async def test_another_identity_provider_forgets_everybody() -> None:
    """The same numbers there are other applications: their cookies are sealed with another secret."""
    moving = Moving()

    await moving.moved(THERE, "first")

    assert moving.serves[0].cookie_secret == "o" * 40
    assert moving.forgot_all


async def test_the_former_tokens_refusal_comes_late() -> None:
    """It does not close the outpost whose new token is good."""
    moving = Moving()
    await moving.outpost._look()
    del moving.identities.outposts[HERE, "first"]
    moving.identities.outposts[HERE, "new"] = moving.serves[0]
    moving.identities.go.clear()
    late = asyncio.create_task(moving.outpost._look())
    await asyncio.sleep(0)

    moving.outpost.use(plan(HERE, "new"))
    moving.identities.go.set()
    await late

    assert moving.outpost.ready
    assert not moving.forgot_all
    await moving.outpost._look()
    assert moving.outpost.ready


async def test_a_file_that_changes_is_noticed(tmp_path: Path) -> None:
    """Once it is still, and only then; one that appears as well."""
    file, missing = tmp_path / "token", tmp_path / "ca.pem"
    file.write_text("first")
    noticed: list[int] = []
    watching = asyncio.create_task(watch(lambda: [str(file), str(missing)], lambda: noticed.append(1), 0.01))
    try:
        for number, change in enumerate((file, missing), start=1):
            await asyncio.sleep(0.05)
            assert len(noticed) == number - 1
            change.write_text("another")
            async with asyncio.timeout(10):
                while len(noticed) < number:
                    await asyncio.sleep(0.01)
    finally:
        watching.cancel()
