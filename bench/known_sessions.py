"""What one worker's memory of sessions costs: ``python bench/known_sessions.py NUMBER``, one line of JSON.

The outpost, as a worker has it, is asked about NUMBER different browsers, one question each, and gets their sessions
from a store as it would from the identity child. Then it is asked about some of them again, at random: what such a
question costs, and how many of them the store had to answer again because the worker had forgotten.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import random
import sys
import time
from pathlib import Path

import msgspec
import uvloop

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.sessions import Claims, ProxySession
from doorward.outpost import Outpost
from doorward.outpost.application import Application
from doorward.outpost.ports import IdentityUnreachable
from doorward.outpost.sessions.cookie import SESSION, Ticket
from outpost.memory_store import MemoryStore
from outpost.world import provider

HOST = "app.example.test"
QUESTIONS = 20_000
LIFE = 86_400.0
_PATIENCE = 150.0
"""Seconds after which a busy machine has filled the memory enough; how many sessions that made is said."""
_TOGETHER = 200
"""How many browsers ask at once while the memory fills."""


class Store(MemoryStore):
    """Makes sessions up when asked: what it would hold itself is not to be weighed."""

    async def find(self, id_hash: bytes, provider: int, client_ip: str = "") -> ProxySession | None:
        self.finds += 1
        number = id_hash.hex()
        session = ProxySession(
            id_hash=id_hash,
            provider=provider,
            claims=Claims(
                sub=number,
                sid=number,
                preferred_username=f"user-{number[:12]}",
                name=f"User {number[:12]}",
                email=f"user-{number[:12]}@example.test",
                groups=("staff", "wiki editors"),
                user_attributes=msgspec.Raw(msgspec.msgpack.encode({})),
            ),
            access_token=number * 15,  # as long as a real one
            id_token=number * 14,
            created=time.time(),
            expires=time.time() + LIFE,
        )
        return msgspec.msgpack.decode(msgspec.msgpack.encode(session), type=ProxySession)  # as it comes over a socket


class NoChannel:
    """The way to an identity provider that nobody needs."""

    async def fetch(self, question: HttpQuestion, url: str) -> HttpAnswer:
        raise IdentityUnreachable(url)


class Browsers:
    """Each with a cookie of its own, which can be worked out from its number."""

    def __init__(self) -> None:
        self.provider = provider(1, HOST)
        self._jar = Application(self.provider, "1").cookies

    def question(self, number: int) -> HttpQuestion:
        secret = hashlib.sha256(b"%d" % number).digest()
        ticket = Ticket(SESSION, 0, 0, secret, hashlib.sha256(secret).digest())
        cookie = self._jar.name + b"=" + self._jar.seal(ticket).encode()
        headers = (
            (b"X-Forwarded-Proto", b"https"),
            (b"X-Forwarded-Host", HOST.encode()),
            (b"X-Forwarded-Uri", b"/page"),
            (b"X-Forwarded-Method", b"GET"),
            (b"Accept", b"text/html"),
            (b"Cookie", b"theme=dark; " + cookie + b"; lang=en"),
        )
        return HttpQuestion(b"GET", b"/outpost.goauthentik.io/auth/traefik", headers, peer="127.0.0.1", trusted=True)


async def main(number: int) -> None:
    store, browsers = Store(time.time), Browsers()
    outpost = Outpost(store, NoChannel(), time.time)
    outpost.use(OutpostConfiguration(position=1, providers=(browsers.provider,), version="1"))
    await _passes(outpost, browsers.question(number))
    gc.collect()
    gc.freeze()
    before, begun = _resident(), time.process_time()
    until = time.monotonic() + _PATIENCE
    for start in range(0, number, _TOGETHER):
        if time.monotonic() > until:
            number = start
            break
        ids = range(start, min(number, start + _TOGETHER))
        await asyncio.gather(*(_passes(outpost, browsers.question(each)) for each in ids))
    filled = time.process_time() - begun
    weight = _resident() - before
    chance = random.Random(7)
    questions = [browsers.question(chance.randrange(number)) for _ in range(QUESTIONS)]
    asked = store.finds
    gc.collect()
    begun = time.process_time()
    for question in questions:
        await _passes(outpost, question)
    spent = time.process_time() - begun
    found = {
        "number": number,
        "cpu": spent / QUESTIONS * 1e6,
        "bytes": weight / number,
        "first": filled / number * 1e6,
        "asked again": (store.finds - asked) / QUESTIONS,
    }
    print(json.dumps(found))


async def _passes(outpost: Outpost, question: HttpQuestion) -> None:
    answer = outpost.answer(question)
    if not isinstance(answer, HttpAnswer):
        answer = await answer
    if answer.status != 200 or not any(name == b"X-authentik-username" for name, _ in answer.headers):
        raise SystemExit(f"the outpost answered {answer.status}")


def _resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
