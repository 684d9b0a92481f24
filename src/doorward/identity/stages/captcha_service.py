"""Asks a captcha service whether an answer is good: reCAPTCHA's ``siteverify``, which Turnstile and hCaptcha speak too.

Fails closed: whatever goes wrong on the way is not a yes. One request, no redirects, ten seconds, 256 KiB; at most
eight at a time, so that a slow service cannot keep everybody else from logging in.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from doorward.identity.egress import client
from doorward.identity.stages.models import CaptchaStage

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
    try:
        answer = client.ask(
            "POST",
            url,
            headers={"Content-Type": content_type, "Accept": "application/json"},
            body=body,
            private=True,  # stages are superusers' settings
        )
    except client.NotAsked as error:
        raise Unreachable(str(error)[:300]) from error
    if answer.status != 200:
        raise Unreachable(f"it answers {answer.status}")
    return answer.body
