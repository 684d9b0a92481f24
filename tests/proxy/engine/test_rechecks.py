"""What stays open on the word of an auth server over HTTP ends when that server takes its word back (S-228)."""

from __future__ import annotations

import asyncio

import pytest

from doorward.messages.http import HttpAnswer
from doorward.proxy.ports import AuthServerUnreachable
from doorward.proxy.rechecks import CHANCES, Recheck, Rechecks, Word, both
from proxy.engine.application import Conversation, Recorded
from proxy.engine.stage import HOST, Stage, eventually, get
from proxy.engine.test_websockets import connect, echo_server
from proxy.middlewares.auth_server import Said, forward_auth

YES, NO = HttpAnswer(200), HttpAnswer(302, ((b"Location", b"https://auth.example.test/"),))
EVERY = 0.01
"""Seconds; the engine looks once a second."""


async def test_a_websocket_is_cut_when_its_auth_server_says_no(stage: Stage) -> None:
    """Close code 1008; while the answer is yes it stays, whatever the auth server is asked in between."""
    auth = Said(YES)
    stage.application.handler = echo_server
    await stage.start(stage.routes(forward_auth(auth, recheck_interval=EVERY)))
    client = await connect(stage, b"Origin: https://" + HOST)
    await eventually(lambda: len(auth.questions) > 1)
    await client.send(b"\x81\x00")
    assert await client.reader.readexactly(2) == b"\x81\x00"
    assert auth.questions[0] == auth.questions[-1]

    auth.answer = NO

    assert await client.rest() == b"\x88\x02\x03\xf0"
    await eventually(lambda: stage.application.open == 0)
    asked = len(auth.questions)
    await asyncio.sleep(0)
    assert len(auth.questions) == asked


async def test_an_event_stream_is_cut_as_well(stage: Stage) -> None:
    """The client sees that it is not complete."""

    async def events(request: Recorded, conversation: Conversation) -> None:
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await conversation.reader.read(1)

    auth = Said(YES)
    stage.application.handler = events
    await stage.start(stage.routes(forward_auth(auth, recheck_interval=EVERY)))
    client = await stage.client()
    await client.send(get())
    await client.reader.readuntil(b"data: 1\n\n")

    auth.answer = HttpAnswer(401)

    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(client.reader.readuntil(b"0\r\n\r\n"), 10)
    await eventually(lambda: stage.application.open == 0)


async def test_a_request_that_is_over_is_not_asked_about(stage: Stage) -> None:
    """Only what is open costs the auth server anything; 0 switches it off."""
    auth = Said(YES)
    await stage.start(stage.routes(forward_auth(auth, recheck_interval=EVERY)))
    client = await stage.client()
    assert (await client.ask(get())).status == 200
    assert len(stage.engine._surroundings.rechecks) == 0
    assert len(auth.questions) == 1


class Open:
    """An exchange."""

    def __init__(self) -> None:
        self.ended = 0

    def session_ended(self) -> None:
        self.ended += 1


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_auth_server_that_does_not_answer_has_three_chances() -> None:
    """A restart of it cuts nobody; one that stays away cannot be taken for a yes."""
    words: list[Word] = []

    async def ask() -> Word:
        return words.pop(0)

    rechecks, exchange = Rechecks(), Open()
    rechecks.add(exchange, Recheck(10.0, ask), now=0.0)
    said = [Word.NOTHING] * (CHANCES - 1) + [Word.YES] + [Word.NOTHING] * CHANCES
    for number, word in enumerate(said, start=1):
        assert not exchange.ended
        words.append(word)
        rechecks.sweep(number * 10.0 - 1)  # too early: nobody is asked
        assert words
        rechecks.sweep(number * 10.0)
        await settle()
    assert exchange.ended == 1
    assert len(rechecks) == 0


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (YES, Word.YES),
        (NO, Word.NO),
        (HttpAnswer(401), Word.NO),
        (HttpAnswer(403), Word.NO),
        (HttpAnswer(503), Word.NOTHING),
        (HttpAnswer(429), Word.NOTHING),
        (HttpAnswer(204), Word.YES),
        (AuthServerUnreachable("away"), Word.NOTHING),
    ],
)
async def test_what_an_answer_means(stage: Stage, answer: HttpAnswer | Exception, word: Word) -> None:
    """A refusal is one, trouble is not."""
    auth = Said(YES)
    middleware = forward_auth(auth, recheck_interval=EVERY)
    await stage.start(stage.routes(middleware))
    client = await stage.client()
    await client.ask(get())
    auth.answer = answer

    assert await middleware._ask_again(auth.questions[0]) is word


async def test_of_two_auth_servers_each_must_agree() -> None:
    """A chain of two is as strict again as it was."""

    async def yes() -> Word:
        return Word.YES

    async def no() -> Word:
        return Word.NO

    assert await both(Recheck(1, yes), Recheck(2, yes)).ask() is Word.YES
    assert await both(Recheck(1, yes), Recheck(2, no)).ask() is Word.NO
    assert await both(Recheck(1, no), Recheck(2, yes)).ask() is Word.NO
    assert both(Recheck(1, yes), Recheck(2, yes)).every == 1
