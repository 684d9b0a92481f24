"""Asks a captcha service whether an answer is good: reCAPTCHA's ``siteverify``, which Turnstile and hCaptcha speak too.

Fails closed: whatever goes wrong on the way is not a yes. One request, no redirects, ten seconds, 256 KiB; at most
eight at a time, so that a slow service cannot keep everybody else from logging in.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from doorward.identity.stages.models import CaptchaStage

if TYPE_CHECKING:
    from doorward.messages.http import HttpAnswer

TIMEOUT = 10.0
"""Seconds, for all of it."""
LARGEST = 256 * 1024
"""Bytes of an answer."""
MOST = 8
_turns = threading.BoundedSemaphore(MOST)


class Unreachable(Exception):
    """The service did not say yes or no; the text says why, for administrators."""


@dataclass(frozen=True, slots=True)
class Said:
    good: bool
    score: float | None
    """0 for a robot to 1 for a person; None from services that give none."""
    reasons: tuple[str, ...] = ()
    """``error-codes`` of the service."""


class _Answer(Struct):
    success: bool
    score: float | None = None
    error_codes: list[str] = msgspec.field(name="error-codes", default_factory=list)


def ask(stage: CaptchaStage, token: str, client_ip: str | None) -> Said:
    """What the service says about ``token``. Raises Unreachable, vault.Unreadable."""
    fields = {"secret": stage.private_key, "response": token, **({"remoteip": client_ip} if client_ip else {})}
    json = stage.request_content_type == CaptchaStage.ContentType.JSON
    body = msgspec.json.encode(fields) if json else urlencode(fields).encode()
    if not _turns.acquire(timeout=1.0):
        raise Unreachable("too many answers wait for the service already")
    try:
        raw = _post(stage.api_url, body, stage.request_content_type)
    finally:
        _turns.release()
    try:
        answer = msgspec.json.decode(raw, type=_Answer)
    except msgspec.DecodeError as error:
        raise Unreachable(f"its answer is not what such a service says: {error}"[:300]) from error
    return Said(answer.success, answer.score, tuple(answer.error_codes[:10]))


def _post(url: str, body: bytes, content_type: str) -> bytes:
    """What the service answers. Raises Unreachable."""
    import asyncio

    from doorward.messages.http import HttpQuestion
    from doorward.net import client
    from doorward.net.origin import Origin

    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = ((b"Content-Type", content_type.encode()), (b"Accept", b"application/json"))

    async def fetch() -> HttpAnswer:
        asking = client.Client()
        try:
            question = HttpQuestion(b"POST", target.encode(), headers, body)
            return await asking.fetch(question, Origin.parse(url), timeout=TIMEOUT, max_body=LARGEST)
        finally:
            await asking.cut()

    try:
        answer = asyncio.run(fetch())
    except (client.Unreachable, client.TooLarge, ValueError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}"[:300]) from error
    if answer.status != 200:
        raise Unreachable(f"it answers {answer.status}")
    return answer.body
