"""The store of proxy sessions, as the data plane sees it."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import msgspec
import pytest
from django.db import connection
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Change
from doorward.identity.logins import actions as logins
from doorward.identity.outposts.actions import update_proxy_provider
from doorward.identity.outposts.credentials import IN_DOUBT
from doorward.identity.outposts.models import ProxyProvider, StoredSession, UsedState
from doorward.messages.sessions import EndSession, EndSubject, FindSession, ProxySession, Seen, SessionsSeen
from identity.proxied import ask, enter, is_known, log_in, proxy_session, question

pytestmark = pytest.mark.django_db


def test_what_was_kept_is_found(bob: User, whoami: Application) -> None:
    """Byte for byte, under the hash of its id."""
    session = enter(log_in(bob), whoami)

    status, body = ask("find-session", FindSession(session.id_hash, session.provider))

    assert status == 200
    found = msgspec.msgpack.decode(body, type=ProxySession)
    assert msgspec.structs.replace(found, last_seen=0.0) == session


def test_tokens_are_encrypted_at_rest(bob: User, whoami: Application) -> None:
    """The row tells nothing, and does not decrypt in another row."""  # S-803
    session, other = enter(log_in(bob), whoami), enter(log_in(bob), whoami)

    rows = StoredSession.objects.values()
    assert session.access_token not in str(list(rows))
    StoredSession.objects.filter(id_hash=other.id_hash.hex()).update(
        sealed=StoredSession.objects.get(id_hash=session.id_hash.hex()).sealed
    )
    assert not is_known(other)


def test_a_session_belongs_to_its_provider(bob: User, whoami: Application) -> None:
    """Another provider does not find it."""  # S-317
    session = enter(log_in(bob), whoami)

    assert ask("find-session", FindSession(session.id_hash, session.provider + 1))[0] == 404
    assert ask("find-session", FindSession(b"", session.provider))[0] == 404


def test_an_expired_session_is_none(bob: User, whoami: Application) -> None:
    """Expiry counts when it is read; one that is over already is not even kept."""  # S-811
    session = enter(log_in(bob), whoami)
    StoredSession.objects.update(expires=timezone.now())

    assert not is_known(session)
    late = proxy_session(log_in(bob), whoami, expires=time.time() - 1)
    assert ask("create-session", question(late))[0] == 410


def test_a_login_state_is_used_once(bob: User, whoami: Application) -> None:
    """The second callback with the same state is refused, whatever else it carries."""  # S-310
    login = log_in(bob)
    state = "state-1"

    assert ask("create-session", question(proxy_session(login, whoami), state))[0] == 204
    assert ask("create-session", question(proxy_session(login, whoami), state))[0] == 409
    assert StoredSession.objects.count() == 1


@pytest.mark.parametrize("gone", ["login", "user", "right", "sid", "provider", "application"])
def test_a_callback_that_comes_too_late_makes_no_session(bob: User, whoami: Application, gone: str) -> None:
    """Between login and callback somebody logged out, was deactivated, lost the right …"""  # S-325
    login = log_in(bob)
    session = proxy_session(login, whoami)
    if gone == "login":
        logins.end_silently(login)
    elif gone == "user":
        User.objects.filter(pk=bob.pk).update(is_active=False)
    elif gone == "right":
        bob.groups.clear()
    elif gone == "sid":
        session = msgspec.structs.replace(session, claims=msgspec.structs.replace(session.claims, sid=""))
    elif gone == "provider":
        session = msgspec.structs.replace(session, provider=session.provider + 1)
    else:
        whoami.delete()

    assert ask("create-session", question(session))[0] == 410
    assert not StoredSession.objects.exists()


def test_ending_a_session_ends_it_everywhere(bob: User, whoami: Application) -> None:
    """It is not found again, and every worker is told; ending it twice is no error."""  # S-323
    session = enter(log_in(bob), whoami)

    for _ in range(2):
        assert ask("end-session", EndSession(session.id_hash, session.provider)) == (204, b"")

    assert not is_known(session)
    ended = Change.objects.filter(kind="session-ended").exclude(subject=IN_DOUBT).values_list("subject", flat=True)
    assert list(ended) == [session.id_hash.hex()]


def test_signing_out_ends_all_of_the_person(bob: User, akadmin: User, whoami: Application) -> None:
    """All browsers, all providers; nobody else's."""
    from doorward.identity.directory.actions import add_member
    from doorward.identity.directory.models import Group
    from doorward.identity.events.actor import Actor

    add_member(Actor.system(), Group.objects.get(name="staff"), akadmin)
    first, second = enter(log_in(bob), whoami), enter(log_in(bob), whoami)
    other = enter(log_in(akadmin), whoami)

    assert ask("end-subject", EndSubject(bob.uid))[0] == 204
    assert ask("end-subject", EndSubject("nobody"))[0] == 204

    assert [is_known(session) for session in (first, second, other)] == [False, False, True]


@pytest.mark.django_db(transaction=True)
def test_twenty_callbacks_with_one_state_make_one_session(bob: User, whoami: Application) -> None:
    """One-time use holds when all come at once."""  # S-805
    login = log_in(bob)
    answers = []

    def call_back() -> None:
        answers.append(ask("create-session", question(proxy_session(login, whoami), "the-state"))[0])
        connection.close()

    threads = [threading.Thread(target=call_back) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [204] + [409] * 19
    assert StoredSession.objects.count() == UsedState.objects.count() == 1


def test_a_session_that_nobody_uses_ends(bob: User, whoami: Application) -> None:
    """Counted from the last use that a worker has told; it is then an ended session like any other."""
    session, used = enter(log_in(bob), whoami), enter(log_in(bob), whoami)
    update_proxy_provider(Actor.system(), ProxyProvider.objects.get(application=whoami), idle_limit="minutes=10")
    StoredSession.objects.update(last_seen=timezone.now() - timedelta(minutes=12))
    now = timezone.now().timestamp()
    assert ask("sessions-seen", SessionsSeen((Seen(used.id_hash, now), Seen(b"x" * 32, now)))) == (204, b"")

    assert not is_known(session)
    assert is_known(used)
    assert Change.objects.filter(kind=Change.Kind.SESSION_ENDED, subject=session.id_hash.hex()).exists()


def test_a_use_is_never_put_back_nor_ahead(bob: User, whoami: Application) -> None:
    """Two workers tell their uses in any order; a clock that runs ahead keeps nobody in."""
    session = enter(log_in(bob), whoami)
    row = StoredSession.objects.get()
    before = row.last_seen
    for at in (before.timestamp() - 100, before.timestamp() + 10_000):
        ask("sessions-seen", SessionsSeen((Seen(session.id_hash, at),)))

    row.refresh_from_db()
    assert before <= row.last_seen <= timezone.now()
