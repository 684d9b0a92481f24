"""Passwords: what is hashed at all, and what a check gives away."""

from __future__ import annotations

import threading

import pytest
from django.contrib.auth.hashers import identify_hasher, verify_password
from django.core.exceptions import ValidationError

from doorward.identity.directory import actions, passwords
from doorward.identity.directory.errors import Busy, TooManyAttempts
from doorward.identity.directory.hashing import Argon2
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor

SYSTEM = Actor.system()


def test_passwords_are_kept_as_argon2id(db: None, bob: User) -> None:
    """Argon2id, whatever else is understood."""  # S-803
    assert bob.password.startswith("argon2$argon2id$")
    assert isinstance(identify_hasher(bob.password), Argon2)


@pytest.mark.parametrize("password", ["x" * 2**20, "x" * 1025, "ü" * 2049, "long enough\0", "long enough\ud800"])
def test_unhashable_passwords_are_refused_before_hashing(
    db: None, bob: User, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No megabyte and no NUL reaches the hasher, neither when set nor when checked."""  # S-505
    monkeypatch.setattr(passwords, "verify_password", None)
    monkeypatch.setattr(passwords, "make_password", None)

    with pytest.raises(ValidationError):
        passwords.check(bob, password)
    with pytest.raises(ValidationError):
        actions.set_password(SYSTEM, bob, password)


def test_bytes_beyond_72_count(db: None, bob: User) -> None:
    """Nothing of a long password is ignored."""  # S-505
    actions.set_password(SYSTEM, bob, "x" * 72 + "12345678")

    assert passwords.check(bob, "x" * 72 + "12345678")
    assert not passwords.check(bob, "x" * 72 + "12345679")


def test_short_passwords_are_refused(db: None, bob: User) -> None:
    """Eight characters at least; eight are enough."""
    with pytest.raises(ValidationError):
        actions.set_password(SYSTEM, bob, "seven77")
    actions.set_password(SYSTEM, bob, "eight888")


def test_every_check_costs_one_hash(db: None, bob: User, mallory: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown, deactivated, passwordless or wrong: the same work, so the same time."""  # S-504
    hashes: list[tuple[str, str]] = []

    def counted(password: str, encoded: str) -> tuple[bool, bool]:
        hashes.append((password, encoded))
        return verify_password(password, encoded)

    monkeypatch.setattr(passwords, "verify_password", counted)
    User.objects.filter(pk=mallory.pk).update(is_active=False)
    mallory.refresh_from_db()
    service = actions.create_user(SYSTEM, username="service")

    for user in (None, bob, mallory, service):
        assert not passwords.check(user, "not the password")

    assert len(hashes) == 4
    assert len({hashed.split("$")[3] for _, hashed in hashes}) == 1  # the parameters


def test_a_deactivated_user_has_no_password(db: None, bob: User, password: str) -> None:
    """The right password of a deactivated user is a wrong one."""  # S-504
    actions.update_user(SYSTEM, bob, is_active=False)

    assert not passwords.check(bob, password)


def test_an_old_hash_is_renewed(db: None, bob: User, password: str) -> None:
    """A hash brought along from elsewhere becomes ours at the first login."""
    from django.contrib.auth.hashers import make_password

    User.objects.filter(pk=bob.pk).update(password=make_password(password, hasher="pbkdf2_sha256"))
    bob.refresh_from_db()

    assert passwords.check(bob, password)
    bob.refresh_from_db()
    assert bob.password.startswith("argon2$")
    assert passwords.check(bob, password)


def test_five_wrong_passwords_ban_the_account_however_it_is_spelt(db: None, bob: User, password: str) -> None:
    """The limit counts for the account; the right password in the ban looks like a wrong one."""  # S-506 S-507
    for spelling in ("bob", "BOB", "bob@example.test", "Bob", "bob"):
        assert not passwords.attempt(bob, spelling, "not the password", "192.0.2.1")

    assert not passwords.attempt(bob, "bob", password, "198.51.100.7")


def test_parallel_guesses_do_not_slip_through(
    transactional_db: None, bob: User, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty guesses at once are no more than five checked ones."""  # S-506
    looked_at: list[User | None] = []

    def never_right(user: User | None, password: str) -> bool:
        looked_at.append(user)
        return False

    monkeypatch.setattr(passwords, "check", never_right)

    def guess() -> None:
        passwords.attempt(bob, "bob", "not the password", None)

    threads = [threading.Thread(target=guess) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([user for user in looked_at if user is not None]) == 5


def test_success_clears_the_account_but_not_the_address(db: None, bob: User, password: str) -> None:
    """Logging in as oneself in between does not buy more guesses at others."""  # S-507
    for round_number in range(6):
        for guess in range(5):
            victim = f"victim{round_number}-{guess}"
            assert not passwords.attempt(None, victim, "not the password", "192.0.2.1")
        if round_number < 5:
            assert passwords.attempt(bob, "bob", password, "192.0.2.1")

    with pytest.raises(TooManyAttempts):
        passwords.attempt(bob, "bob", password, "192.0.2.1")
    assert passwords.attempt(bob, "bob", password, "192.0.2.2")


def test_the_queue_for_hashing_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the queue one is told to come back, at once."""  # S-916
    full = threading.BoundedSemaphore(1)
    full.acquire()
    monkeypatch.setattr(passwords, "_queue", full)

    with pytest.raises(Busy):
        passwords.check(None, "some password")
