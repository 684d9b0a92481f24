"""Receipts: proof, kept in the session, that a flow was passed on the way to one place.

A receipt names flow, continuation and user, is valid for two minutes and is taken once. So nobody gets past consent
by opening the address that follows it.
"""

from __future__ import annotations

import time

import msgspec
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from msgspec import Struct

from doorward.identity.flows.models import Flow
from doorward.identity.flows.plan import Plan

KEY = "flows.receipts"
MOST = 5
LONGEST = 120
"""Seconds between the last stage and the request that takes the receipt."""


class Receipt(Struct, frozen=True, forbid_unknown_fields=True):
    flow: str
    continuation: str
    user: int | None
    issued: float


_decoder = msgspec.json.Decoder(tuple[Receipt, ...])


def leave(request: HttpRequest, plan: Plan) -> str:
    """Record that ``plan`` is through. Returns where the visitor goes now."""
    destination = plan.context.continuation or plan.next or "/"
    if plan.context.continuation:
        receipt = Receipt(
            plan.context.instead_of or plan.flow, plan.context.continuation, _user_of(request), time.time()
        )
        _write(request.session, (*_read(request.session), receipt)[-MOST:])
    return destination


def take(request: HttpRequest, flow: Flow, continuation: str) -> bool:
    """Whether there is a receipt for ``flow`` and ``continuation``; it is used up by asking."""
    receipts = _read(request.session)
    wanted = [receipt for receipt in receipts if (receipt.flow, receipt.continuation) == (flow.slug, continuation)]
    if wanted:
        _write(request.session, tuple(receipt for receipt in receipts if receipt not in wanted))
    return any(receipt.user == _user_of(request) for receipt in wanted)


def _user_of(request: HttpRequest) -> int | None:
    return request.user.pk if request.user.is_authenticated else None


def _read(session: SessionBase) -> tuple[Receipt, ...]:
    text = session.get(KEY, "")
    try:
        receipts = _decoder.decode(text) if isinstance(text, str) and text else ()
    except msgspec.DecodeError:
        return ()
    oldest = time.time() - LONGEST
    return tuple(receipt for receipt in receipts if receipt.issued >= oldest)


def _write(session: SessionBase, receipts: tuple[Receipt, ...]) -> None:
    session[KEY] = msgspec.json.encode(receipts).decode()
