"""The browser's session: what is kept of it, and when it is over."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db.models import QuerySet
from django.utils import timezone

from doorward.identity.directory.models import User
from doorward.identity.logins import session_store
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.session_store import Seen, SessionStore, forget_surplus_strangers, sweep

pytestmark = pytest.mark.django_db


def remembered(**data: object) -> SessionStore:
    store = SessionStore(seen=Seen("192.0.2.1", "Browser/1"))
    store.update(data)
    store.save()
    return store


def test_the_database_holds_the_hash_of_the_cookie() -> None:
    """256 random bits in the cookie, their SHA-256 in the row, nothing that leads back."""  # S-803
    store = remembered(plan="a")

    row = LoginSession.objects.get()
    assert store.session_key is not None
    assert len(store.session_key) == 43
    assert row.session_key == hashlib.sha256(store.session_key.encode()).hexdigest()
    assert (row.last_ip, row.last_user_agent) == ("192.0.2.1", "Browser/1")
    assert SessionStore(store.session_key)["plan"] == "a"


def test_a_visitor_who_leaves_nothing_costs_no_row() -> None:
    """Reading an unknown session, or an empty one, writes nothing."""  # S-917
    for cookie in (None, "", "unknown-cookie-value", "x" * 5000, "\0" * 10):
        store = SessionStore(cookie)
        assert store.get("plan") is None
        assert store.session_key is None

    assert not LoginSession.objects.exists()


def test_an_idle_session_is_over_unless_remembered(bob: User) -> None:
    """After an hour without a request, whether or not it was swept away."""  # S-811
    idle, kept = remembered(plan="a"), remembered(plan="b")
    kept.begin_login(bob, ("pwd",), timedelta(days=30))
    LoginSession.objects.update(last_used=timezone.now() - timedelta(minutes=61))

    assert SessionStore(idle.session_key).get("plan") is None
    assert SessionStore(kept.session_key).get("plan") == "b"


def test_a_session_ends_absolutely(bob: User) -> None:
    """Activity does not extend it beyond its end; the cookie's life is what is left."""  # S-316 S-812
    store = SessionStore()
    store.begin_login(bob, ("pwd",), timedelta(hours=2))
    end = timezone.now() + timedelta(minutes=10)
    LoginSession.objects.update(expire_date=end)

    again = SessionStore(store.session_key)
    again["plan"] = "a"
    again.save()

    assert 590 <= again.get_expiry_age() <= 600
    assert LoginSession.objects.get().expire_date == end
    LoginSession.objects.update(expire_date=timezone.now())
    assert SessionStore(store.session_key).user is None


def test_use_is_noted_once_a_minute() -> None:
    """Reading a session writes at most once a minute."""
    store = remembered(plan="a")
    before = LoginSession.objects.get().last_used

    SessionStore(store.session_key, Seen("192.0.2.1")).get("plan")
    assert LoginSession.objects.get().last_used == before

    LoginSession.objects.update(last_used=before - timedelta(seconds=61))
    SessionStore(store.session_key, Seen("198.51.100.1", "Browser/2")).get("plan")
    row = LoginSession.objects.get()
    assert row.last_used > before - timedelta(seconds=61)
    assert (row.last_ip, row.last_user_agent) == ("198.51.100.1", "Browser/2")


def test_a_login_has_a_new_key_and_what_the_flow_remembered(bob: User) -> None:
    """The id from before the login is dead; the plan is still there."""  # S-527 S-312
    store = remembered(plan="a")
    before = store.session_key

    row = store.begin_login(bob, ("pwd",), None)

    assert SessionStore(before).user is None
    assert SessionStore(store.session_key).user == bob
    assert SessionStore(store.session_key)["plan"] == "a"
    assert row.sid == hashlib.sha256(row.session_key.encode()).hexdigest()
    assert store.get_expire_at_browser_close()


def test_logging_in_again_keeps_the_login(bob: User) -> None:
    """Proving again who one is changes the key, not the sid: what the login led to stays with it."""  # S-527
    store = SessionStore()
    first = store.begin_login(bob, ("pwd",), None)
    sid, key = first.sid, store.session_key

    second = store.begin_login(bob, ("pwd", "mfa"), None)

    assert (second.pk, second.sid) == (first.pk, sid)
    assert second.methods == ["pwd", "mfa"]
    assert SessionStore(key).user is None


def test_another_user_is_another_login(bob: User, mallory: User) -> None:
    """The sid of one user's tokens is never another's."""
    store = SessionStore()
    first = store.begin_login(bob, ("pwd",), None).sid

    assert store.begin_login(mallory, ("pwd",), None).sid != first


def test_an_ended_session_does_not_come_back(bob: User) -> None:
    """A request that began before the logout cannot write the session again."""  # S-325
    store = SessionStore()
    store.begin_login(bob, ("pwd",), None)
    late = SessionStore(store.session_key)
    late["plan"] = "a"
    store.flush()

    with pytest.raises(UpdateError):
        late.save()

    assert not LoginSession.objects.exists()


def test_data_that_was_altered_in_the_database_is_nothing(bob: User) -> None:
    """What a session remembers is signed."""
    store = remembered(plan="a")
    LoginSession.objects.update(session_data="eyJwbGFuIjoiYiJ9:forged:forged")

    assert SessionStore(store.session_key).get("plan") is None


def test_a_deactivated_user_is_nobody(bob: User) -> None:
    """Even if a row were left behind."""  # S-524
    store = SessionStore()
    store.begin_login(bob, ("pwd",), None)
    User.objects.filter(pk=bob.pk).update(is_active=False)

    assert SessionStore(store.session_key).user is None


def test_sweeping_takes_what_is_over() -> None:
    """Idle and expired rows go, living ones stay."""
    living, idle, expired = (remembered(number=number) for number in range(3))
    row_of(idle).update(last_used=timezone.now() - timedelta(hours=2))
    row_of(expired).update(expire_date=timezone.now())

    sweep()

    assert row_of(living).exists()
    assert LoginSession.objects.count() == 1


def row_of(store: SessionStore) -> QuerySet[LoginSession]:
    assert store.row is not None
    return LoginSession.objects.filter(pk=store.row.pk)


def test_strangers_are_kept_up_to_a_number(monkeypatch: pytest.MonkeyPatch, bob: User) -> None:
    """Beyond it the ones that were used longest ago go; whoever is logged in stays."""  # S-917
    monkeypatch.setattr(session_store, "MOST_STRANGERS", 2)
    remembered(plan="login").begin_login(bob, ("pwd",), None)
    old, *_ = [remembered(plan=str(number)) for number in range(4)]
    assert old.row is not None
    LoginSession.objects.filter(pk=old.row.pk).update(last_used=timezone.now() - timedelta(hours=2))

    forget_surplus_strangers()

    assert LoginSession.objects.filter(user=None).count() == 2
    assert LoginSession.objects.filter(user=bob).count() == 1
    assert not LoginSession.objects.filter(pk=old.row.pk).exists()
