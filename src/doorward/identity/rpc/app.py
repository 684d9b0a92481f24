"""The private WSGI app: ``POST /rpc/<name>`` with a MessagePack body of at most 1 MiB.

Trouble with the database is 503, at once or after its own five seconds of patience, and nothing is half done: every
answer function is one transaction (S-806).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from django.db import Error, close_old_connections, connections

from doorward.identity.remembered.marks import during_a_request
from doorward.identity.rpc.answer import Answer
from doorward.identity.rpc.sweeping import sweep_if_due
from doorward.identity.rpc.table import QUESTIONS

LARGEST = 1 << 20
"""Bytes of a question."""
_PREFIX = "/rpc/"
_log = logging.getLogger("doorward.rpc")


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one question, on a connection that works."""
    close_old_connections()
    with during_a_request():
        answer = answer_to(environ)
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        connections.close_all()  # a broken connection must not outlive its breaking
    status = HTTPStatus(answer.status)
    headers = [] if status == HTTPStatus.NO_CONTENT else [("Content-Length", str(len(answer.body)))]
    if answer.body:
        headers.append(("Content-Type", "application/msgpack"))
    start_response(f"{status.value} {status.phrase}", headers)
    return [answer.body] if answer.body else []


def answer_to(environ: WSGIEnvironment) -> Answer:
    """What a request is answered with, whatever happens."""
    name = environ.get("PATH_INFO", "")
    question = QUESTIONS.get(name.removeprefix(_PREFIX)) if name.startswith(_PREFIX) else None
    if question is None:
        return Answer(404)
    if environ["REQUEST_METHOD"] != "POST":
        return Answer(405)
    try:
        body = _body(environ)
        answer = question.answer(body)
        if question.writes:
            sweep_if_due()
    except msgspec.MsgspecError:  # neither MessagePack nor the struct of this question
        return Answer(400)
    except _TooLarge:
        return Answer(413)
    except Error:
        _log.exception("the database did not answer %s", name)
        return Answer(503)
    except Exception:  # noqa: BLE001 - the edge: one question fails, the others are answered (S-922)
        _log.exception("%s failed", name)
        return Answer(500)
    return answer


class _TooLarge(Exception):
    pass


def _body(environ: WSGIEnvironment) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isascii() or not length.isdigit() or len(length) > 9 or int(length) > LARGEST:
        raise _TooLarge
    read: bytes = environ["wsgi.input"].read(int(length))
    return read
