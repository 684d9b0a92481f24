"""What a worker keeps of a session: everything that is asked of it, and nothing that only fills its memory."""

from __future__ import annotations

import sys

import msgspec

from doorward.messages.sessions import Claims, ProxySession
from doorward.outpost.sessions.slimming import slim

ID = b"i" * 32


def received(attributes: object = None) -> tuple[bytes, ProxySession]:
    """A session as it comes from its keeper, and the message that it came in."""
    claims = Claims("uid", groups=("staff", "a team"), user_attributes=msgspec.Raw(msgspec.msgpack.encode(attributes)))
    session = ProxySession(ID, 1, claims, "access" * 150, "identity" * 100, 1.0, 2.0)
    message = msgspec.msgpack.encode(session)
    return message, msgspec.msgpack.decode(message, type=ProxySession)


def test_it_says_what_it_said() -> None:
    """But for the tokens, which stand elsewhere, where they need not be kept."""
    _, session = received({"a": [1]})
    same_id = bytes(ID)

    kept, whole = slim(session, same_id, keeps_tokens=False), slim(session, same_id, keeps_tokens=True)

    assert whole == session
    assert kept == msgspec.structs.replace(session, access_token="", id_token="")
    assert kept.id_hash is same_id
    assert msgspec.msgpack.decode(kept.claims.user_attributes) == {"a": [1]}


def test_the_message_goes() -> None:
    """A worker that keeps a million sessions must not keep the messages with their tokens."""
    for attributes in ({}, {"a": "b"}):
        message, session = received(attributes)
        kept = slim(session, ID, keeps_tokens=False)
        held = sys.getrefcount(message)
        del session
        assert sys.getrefcount(message) < held  # the decoded one held on to it
        assert sys.getrefcount(message) == 2  # this function, and the question
        assert kept.claims.sub == "uid"


def test_what_many_have_alike_is_there_once() -> None:
    """The groups of two people who are in the same ones."""
    first, second = (slim(received()[1], ID, keeps_tokens=False) for _ in range(2))

    assert first.claims.groups is second.claims.groups
