"""How our own outpost is asked again about a program that has something open.

A program has no session that could end. It stays for as long as the question that let it in would let it in as the same
person with the same rights; a new access token makes no other person of it.
"""

from __future__ import annotations

import asyncio

from doorward.messages.http import Header, HttpAnswer, HttpQuestion
from doorward.proxy.middlewares.bulkhead import TIMEOUT
from doorward.proxy.ports import AuthAnswerTooLarge, AuthServerUnreachable, ForwardAuthority
from doorward.proxy.rechecks import Recheck, Word

EVERY = 60.0
"""Seconds (``contracts/security.md`` section 3): the end of a token that nobody takes away is told by nobody."""
_RENEWED = b"x-authentik-jwt"


def recheck_of_program(authority: ForwardAuthority, question: HttpQuestion, answer: HttpAnswer) -> Recheck:
    """``answer`` is the yes to ``question``."""
    person = _person(answer)

    async def ask() -> Word:
        try:
            async with asyncio.timeout(TIMEOUT):
                asked = authority.ask(question)
                again = asked if isinstance(asked, HttpAnswer) else await asked
        except (AuthServerUnreachable, AuthAnswerTooLarge, TimeoutError):
            return Word.NOTHING
        word = word_of(again)
        return Word.NO if word is Word.YES and _person(again) != person else word

    return Recheck(EVERY, ask, doubtful=True)


def word_of(answer: HttpAnswer) -> Word:
    """What an auth server's answer means for what is open."""
    if 200 <= answer.status < 300:
        return Word.YES
    return Word.NOTHING if answer.status >= 500 or answer.status in (408, 429) else Word.NO


def _person(answer: HttpAnswer) -> frozenset[Header]:
    return frozenset(header for header in answer.headers if header[0].lower() != _RENEWED)
