"""Sends what lies in the outbox: one thread that runs while there is something to send, and then ends.

A letter is claimed by a conditional UPDATE that moves its next try into the future, so that two senders never send it
twice at once; it is deleted when it was sent. A server that is down is tried again after 30 seconds, a minute, two …
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import msgspec
from django.db import Error, connection
from django.utils import timezone

from doorward.identity.crypto import vault
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.mail import transport
from doorward.identity.mail.models import Letter
from doorward.identity.mail.transport import MailTransport

FIRST_RETRY = 30
"""Seconds."""
LONGEST_RETRY = 3600
_NAP = 10.0

_log = logging.getLogger("doorward.mail")
_turn = threading.Lock()
_awake = threading.Event()


def wake() -> None:
    """There may be something to send. Returns at once; at most one thread sends."""
    _awake.set()
    if _turn.acquire(blocking=False):
        threading.Thread(target=_run, name="mail", daemon=True).start()


def _run() -> None:
    try:
        while True:
            _awake.clear()
            deliver_due()
            if not Letter.objects.exists():
                return
            _awake.wait(_NAP)
    except Error:
        _log.warning("the outbox cannot be read; letters wait for the next one", exc_info=True)
    finally:
        connection.close()
        _turn.release()


def deliver_due() -> int:
    """Try to send every letter whose time has come; says how many were sent."""
    how = transport.configured()
    now = timezone.now()
    Letter.objects.filter(useless_after__lte=now).delete()
    if how is None:
        return 0
    due = Letter.objects.filter(next_try__lte=now).order_by("next_try")[:100]
    return sum(_deliver(how, letter) for letter in due)


def _deliver(how: MailTransport, letter: Letter) -> bool:
    if not _claimed(letter):
        return False
    if not letter.recipient:
        letter.delete()
        return False
    try:
        how.send(_message(how, letter))
    except (OSError, vault.Unreadable) as error:
        _log.warning("a letter could not be sent (%s); attempt %d", type(error).__name__, letter.attempts + 1)
        if letter.attempts == 0:
            events.record(
                "system_task_exception",
                "authentik.stages.email",
                Actor.system(),
                message=f"A letter could not be sent: {type(error).__name__}. It is tried again.",
            )
        return False
    letter.delete()
    events.record(
        "email_sent", "authentik.stages.email", Actor.system(), to_email=letter.recipient, subject=letter.subject
    )
    return True


def _claimed(letter: Letter) -> bool:
    pause = min(FIRST_RETRY * 2**letter.attempts, LONGEST_RETRY)
    unclaimed = Letter.objects.filter(pk=letter.pk, attempts=letter.attempts)
    later = timezone.now() + timedelta(seconds=pause)
    return unclaimed.update(attempts=letter.attempts + 1, next_try=later) == 1


def _message(how: MailTransport, letter: Letter) -> EmailMessage:
    from doorward.identity.mail.outbox import Body, place

    body = msgspec.json.decode(vault.unseal(letter.sealed_body, place(letter)), type=Body)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = how.sender, letter.recipient, letter.subject
    message["Date"] = formatdate(time.time())
    message["Message-ID"] = make_msgid(domain=how.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body.text)
    message.add_alternative(body.html, subtype="html")
    return message
