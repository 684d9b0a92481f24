"""A form that met an ended session: kept while its sender logs in again, and sent when they say so.

Only where the provider wants it, only for a browser whose session has ended meanwhile (a stranger's body is not stored,
S-332), only from the application's own pages (another site must not be able to have something sent with a fresh
session), and only as much as fits. The store gets it encrypted with a key that is worked out from the browser's
cookie: nobody else can read it, and no other browser can send it. It is sent by a click, not by itself, so that nothing
happens behind anybody's back.
"""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import parse_qsl

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from doorward.messages.http import HttpAnswer
from doorward.outpost import pages
from doorward.outpost.application import Application
from doorward.outpost.navigation import is_navigation
from doorward.outpost.pages import Form, Link
from doorward.outpost.sessions.cookie import SESSION, Ticket
from doorward.outpost.visit import Visit
from doorward.tokens import base64url

MAX_BODY = 32768
"""Bytes of a form that is kept."""
MAX_FIELDS = 1000
_MARK = "form."
_NONCE = 12


class KeptForm(Struct, frozen=True):
    """What is to be sent, and where to."""

    target: str
    """As ``Application.url`` takes it."""
    fields: tuple[tuple[str, str], ...]


def read(visit: Visit) -> KeptForm | None:
    """The form that ``visit`` brings, if it is one to keep."""
    ticket = visit.presented.ticket
    if not visit.application.provider.keep_posts or visit.method != "POST" or ticket is None or ticket.kind != SESSION:
        return None
    body = visit.question.body
    kind = visit.fields.text("content-type").partition(";")[0].strip().lower()
    if not body or len(body) > MAX_BODY or kind != "application/x-www-form-urlencoded":
        return None
    if not is_navigation(visit.fields, visit.scheme) or not _is_from_the_application(visit):
        return None
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        return None
    return KeptForm(visit.target, tuple(fields))


def seal(application: Application, ticket: Ticket, form: KeptForm) -> str:
    """The form as the store keeps it, for the login of the browser with ``ticket``."""
    nonce = secrets.token_bytes(_NONCE)
    sealed = _cipher(application, ticket).encrypt(nonce, msgspec.msgpack.encode(form), _place(application))
    return _MARK + base64url.encode(nonce + sealed)


def is_sealed(kept: str) -> bool:
    """Whether what the store kept is a form and not a URL."""
    return kept.startswith(_MARK)


def unseal(application: Application, ticket: Ticket, kept: str) -> KeptForm | None:
    """The form, or None for another browser's or a damaged one."""
    try:
        data = base64url.decode(kept.removeprefix(_MARK))
        plain = _cipher(application, ticket).decrypt(data[:_NONCE], data[_NONCE:], _place(application))
        return msgspec.msgpack.decode(plain, type=KeptForm)
    except (ValueError, InvalidTag, msgspec.MsgspecError):
        return None


def page(visit: Visit, target: str, form: KeptForm, cookie: bytes) -> HttpAnswer:
    """After the login: here it is, to be sent to ``target``.

    Through a proxy that takes a 2xx for "may pass" the page is a 401 (S-302).
    """
    application = visit.application
    return pages.page(
        200 if visit.direct else 401,
        "You are logged in again",
        "Your session had ended when you sent a form to "
        f"{application.provider.application_name or application.name}. It has been kept and can be sent now.",
        form=Form("Send it now", application.url(target), form.fields),
        link=Link("Do not send it", application.home),
        cookies=(cookie,),
    )


def _is_from_the_application(visit: Visit) -> bool:
    site = visit.fields.raw("sec-fetch-site")
    return site == b"same-origin" if site else visit.fields.text("origin") == visit.origin


def _cipher(application: Application, ticket: Ticket) -> AESGCM:
    return AESGCM(hmac.digest(application.provider.cookie_secret.encode(), b"form\0" + ticket.secret, "sha256"))


def _place(application: Application) -> bytes:
    return b"kept form\0" + application.provider.client_id.encode()
