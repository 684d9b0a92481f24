"""People of a directory log in with the password that they have there, through the real flow."""

from __future__ import annotations

import threading

import pytest
from django.test import Client

from doorward.identity.directory.actions import create_token, update_user
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.sources.ldap import logins, turns
from doorward.identity.sources.ldap.logins import BACKEND, knows
from doorward.identity.sources.ldap.models import LDAPSource
from doorward.identity.sources.ldap.places import Unreachable
from doorward.identity.sources.ldap.syncing import sync
from doorward.identity.stages.credentials import INBUILT, TOKEN
from doorward.identity.stages.models import PasswordStage
from identity.flow_tab import Tab
from identity.sources.ldap.conftest import source_for
from peers.directory_server import PASSWORD, DirectoryServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(company: DirectoryServer, login_flows: None) -> LDAPSource:
    """Its people are here, and the password stage asks it."""
    source = source_for(company)
    sync(source)
    PasswordStage.objects.update(backends=[INBUILT, BACKEND], failed_attempts_before_cancel=0)
    return source


def _is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_somebody_logs_in(client: Client, source: LDAPSource) -> None:
    """By name or address, with the directory's password, and not with another."""
    tab = Tab(client)
    tab.submit(uid_field="dora@example.test")
    tab.submit(password="wrong wrong")
    assert "Invalid password" in tab.text

    tab.submit(password=PASSWORD)

    assert _is_in(client)
    assert Event.objects.filter(action="login", user__username="dora").exists()
    assert not User.objects.get(username="dora").has_usable_password()


def test_the_password_can_be_kept(client: Client, company: DirectoryServer, source: LDAPSource) -> None:
    """So that it still works when the directory is away."""
    LDAPSource.objects.update(password_login_update_internal_password=True)
    Tab(client).log_in("dora", PASSWORD)
    company.hold()
    try:
        other = Client()
        Tab(other).log_in("dora", PASSWORD)
    finally:
        company.let_go()

    assert _is_in(other)


@pytest.mark.parametrize("backends", [[INBUILT], [TOKEN]])
def test_only_where_the_stage_says_so(client: Client, source: LDAPSource, backends: list[str]) -> None:
    """A stage that does not ask directories does not take their passwords."""
    PasswordStage.objects.update(backends=backends)

    Tab(client).log_in("dora", PASSWORD)

    assert not _is_in(client)


def test_the_closed_stay_out(client: Client, source: LDAPSource) -> None:
    """Deactivated here, or the source switched off."""  # S-524, S-526
    update_user(Actor.system(), User.objects.get(username="dora"), is_active=False)
    Tab(client).log_in("dora", PASSWORD)
    assert not _is_in(client)

    LDAPSource.objects.update(enabled=False)
    other = Client()
    Tab(other).log_in("emil", PASSWORD)
    assert not _is_in(other)


def test_whoever_is_no_longer_one_of_the_users_stays_out(client: Client, source: LDAPSource) -> None:
    """Before the next copy already: the filter is asked with each login."""
    LDAPSource.objects.update(user_object_filter="(&(objectClass=inetOrgPerson)(!(uid=dora)))")

    Tab(client).log_in("dora", PASSWORD)

    assert not _is_in(client)


def test_guessing_has_its_limit(client: Client, source: LDAPSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory is asked about somebody five times, then about nobody."""  # S-506
    asked: list[str | None] = []

    def noting(user: User | None, password: str) -> bool:
        asked.append(user.username if user else None)
        return False

    monkeypatch.setitem(__import__("doorward.identity.stages.credentials", fromlist=["x"])._OTHERS, BACKEND, noting)
    tab = Tab(client)
    tab.submit(uid_field="dora")
    for number in range(7):
        tab.submit(password=f"wrong {number}")

    assert asked == ["dora"] * 5 + [None] * 2


def test_strangers_cost_the_same_conversation(source: LDAPSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory is asked for everybody, with a name and a password that nobody has."""  # S-504
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(logins, "_ask", lambda source, identifier, password: asked.append((identifier, password)))

    assert not knows(None, "typed by somebody")

    assert len(asked) == 1
    assert "typed" not in asked[0][1]


def test_a_directory_that_hangs_does_not_hold_the_door(
    client: Client, company: DirectoryServer, source: LDAPSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first wait and are told; those after them are told at once, whoever they are."""
    monkeypatch.setattr(logins, "SECONDS", 0.3)
    company.hold()
    try:
        for username in ("dora", "nobody", "worker00"):
            tab = Tab(client)
            tab.submit(uid_field=username)
            answer = client.post(tab.url, {"step": tab.hidden("step"), "password": PASSWORD})
            assert answer.status_code == 503
    finally:
        company.let_go()
    assert not _is_in(client)


def test_turns_are_few(source: LDAPSource) -> None:
    """Two wait at most."""
    inside, leave = threading.Semaphore(0), threading.Event()

    def wait() -> None:
        with turns.turn(source.pk):
            inside.release()
            leave.wait(10)

    threads = [threading.Thread(target=wait) for _number in range(turns.MOST)]
    for thread in threads:
        thread.start()
    for _thread in threads:
        inside.acquire()
    try:
        with pytest.raises(Unreachable, match="wait"), turns.turn(source.pk):
            pass
    finally:
        leave.set()
        for thread in threads:
            thread.join()


def test_an_app_password_is_taken_where_the_stage_says_so(
    client: Client, login_flows: None, bob: User, mallory: User, password: str
) -> None:
    """Its owner's, and nobody else's."""
    PasswordStage.objects.update(backends=[TOKEN])
    _token, key = create_token(Actor.system(), user=bob, identifier="bob-app", intent="app_password")

    for username, typed, let_in in (("mallory", key, False), ("bob", password, False), ("bob", key, True)):
        visitor = Client()
        Tab(visitor).log_in(username, typed)
        assert _is_in(visitor) is let_in, username
