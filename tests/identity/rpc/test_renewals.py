"""A proxy session gets new tokens: one worker at a time, and only while everything that it stands on is there."""

from __future__ import annotations

import time

import msgspec
import pytest

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.outposts.models import StoredSession, UsedState
from doorward.messages.sessions import ClaimRenewal, Claims, FindSession, ProxySession, RenewSession
from identity.proxied import ask, enter, log_in

pytestmark = pytest.mark.django_db
CLAIM = "c" * 64


@pytest.fixture
def session(bob: User, whoami: Application) -> ProxySession:
    return enter(log_in(bob), whoami)


def claim(session: ProxySession, claim: str = CLAIM, seconds: float = 15) -> int:
    return ask("claim-renewal", ClaimRenewal(session.id_hash, session.provider, claim, time.time() + seconds))[0]


def renewed(session: ProxySession, **changes: object) -> ProxySession:
    return msgspec.structs.replace(session, access_token="n.e.w", refresh_token="new", **changes)


def found(session: ProxySession) -> ProxySession:
    status, body = ask("find-session", FindSession(session.id_hash, session.provider))
    assert status == 200
    return msgspec.msgpack.decode(body, type=ProxySession)


def test_one_worker_claims(session: ProxySession) -> None:
    """The next one is told to wait, another refresh token is another matter, and a claim ends by itself."""  # S-326
    assert [claim(session), claim(session), claim(session, "d" * 64)] == [204, 409, 204]
    UsedState.objects.update(expires="2020-01-01T00:00:00Z")
    assert claim(session) == 204


def test_a_claim_needs_a_session(session: ProxySession) -> None:
    """Nobody claims for a session that is none, nor under a name that is no hash."""
    assert claim(msgspec.structs.replace(session, id_hash=b"x" * 32)) == 404
    assert claim(msgspec.structs.replace(session, provider=session.provider + 1)) == 404
    assert claim(session, "x") == 400


def test_new_tokens_take_the_place_of_the_old(session: ProxySession) -> None:
    """Tokens and claims change; the end of the session does not, whatever is said about it."""
    groups = Claims(sub=session.claims.sub, groups=("new",))
    new = renewed(session, claims=groups, expires=session.expires + 1e6)

    assert ask("renew-session", RenewSession(new))[0] == 204

    assert (found(session).access_token, found(session).refresh_token) == ("n.e.w", "new")
    assert found(session).claims.groups == ("new",)
    assert abs(found(session).expires - session.expires) < 0.001
    assert "n.e.w" not in str(list(StoredSession.objects.values()))  # S-803


@pytest.mark.parametrize("gone", ["session", "user", "right", "person", "application"])
def test_what_is_gone_is_not_renewed(session: ProxySession, bob: User, whoami: Application, gone: str) -> None:
    """A session that ended while the issuer was asked stays ended."""  # S-325
    new = renewed(session)
    if gone == "session":
        StoredSession.objects.all().delete()
    elif gone == "user":
        User.objects.filter(pk=bob.pk).update(is_active=False)
    elif gone == "right":
        bob.groups.clear()
    elif gone == "person":
        new = renewed(session, claims=Claims(sub="somebody else"))
    else:
        whoami.delete()

    assert ask("renew-session", RenewSession(new))[0] == 404
