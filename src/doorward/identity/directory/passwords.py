"""Passwords: what may be one, and whether it is the right one (S-504 to S-507).

Every check costs exactly one hash, whether the user exists, is deactivated, is banned or has no password: the time
tells nothing. At most two hashes per core run at once and at most 64 checks wait; more are turned away (``Busy``).
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache

from django.contrib.auth.hashers import identify_hasher, is_password_usable, make_password, verify_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from doorward.identity.directory.errors import Busy
from doorward.identity.directory.models import User
from doorward.identity.directory.names import folded
from doorward.identity.directory.throttle import Throttle

SHORTEST = 8
LONGEST = 1024
"""Characters."""
LONGEST_BYTES = 4096
_AT_ONCE = 2 * len(os.sched_getaffinity(0))
_WAITING = 64

throttle = Throttle()
_hashing = threading.BoundedSemaphore(_AT_ONCE)
_queue = threading.BoundedSemaphore(_AT_ONCE + _WAITING)


def require_hashable(password: str) -> None:
    """Raise ValidationError for what is never hashed: too long, NUL, lone surrogates (S-505)."""
    if len(password) > LONGEST or len(password.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
        raise ValidationError(
            {"password": [_("A password has at most %(longest)s characters.") % {"longest": LONGEST}]}
        )
    if "\0" in password or any(0xD800 <= ord(character) <= 0xDFFF for character in password):
        raise ValidationError({"password": [_("A password cannot hold this character.")]})


def require_acceptable(password: str) -> None:
    """Raise ValidationError unless ``password`` may become somebody's password."""
    require_hashable(password)
    if len(password) < SHORTEST:
        raise ValidationError(
            {"password": [_("A password has at least %(shortest)s characters.") % {"shortest": SHORTEST}]}
        )


def hashed(password: str) -> str:
    """The form in which a password is kept. Raises ValidationError, Busy."""
    require_acceptable(password)
    with _Turn():
        return make_password(password)


_COST_LIMITS = {"argon2": {"memory_cost": 102_400, "time_cost": 10, "parallelism": 16}}
_COST_LIMITS["pbkdf2_sha256"] = {"iterations": 2_000_000}
"""What one check of somebody's hash from elsewhere may cost; Argon2's memory in KiB."""


def require_affordable_hash(encoded: str) -> None:
    """Raise ValidationError unless this is a hash in Django's form that can be checked here, at a fair cost."""
    problem = None
    try:
        hasher = identify_hasher(encoded)
        decoded = hasher.decode(encoded)
    except (ValueError, TypeError, KeyError, AssertionError, IndexError):
        problem = _("This is no password hash that can be checked here: Argon2 and PBKDF2 with SHA-256 can be.")
    else:
        limits = _COST_LIMITS.get(hasher.algorithm or "")
        if limits is None or len(encoded) > 255 or any(int(decoded[name]) > most for name, most in limits.items()):
            problem = _("A check of this password hash would cost too much.")
    if problem is not None:
        raise ValidationError({"password_hash": [problem]})


def check(user: User | None, password: str) -> bool:
    """Whether ``password`` is that of the active ``user``. Raises ValidationError (S-505), Busy."""
    require_hashable(password)
    known = user is not None and user.is_active and is_password_usable(user.password)
    with _Turn():
        right, outdated = verify_password(password, user.password if user is not None and known else _nobodys())
        if right and known and outdated and user is not None:
            user.password = make_password(password)
            User.objects.filter(pk=user.pk).update(password=user.password)
    return right and known


def matches(encoded: str, password: str) -> bool:
    """Whether ``password`` is what ``encoded`` is the hash of. Raises Busy."""
    with _Turn():
        right, _ = verify_password(password, encoded)
    return right


def attempt(
    user: User | None,
    identifier: str,
    password: str,
    client_ip: str | None,
    *,
    own: bool = True,
    others: Sequence[Callable[[User | None, str], bool]] = (),
) -> bool:
    """``check`` under the throttle: what every door uses. ``identifier`` is what was typed, for unknown users.

    ``own``: the password that is kept here counts. ``others``: who else is asked, one after the other, about the user
    or, so that the time tells nothing, about nobody. Raises ValidationError, Busy, TooManyAttempts, what they raise.
    """
    require_hashable(password)
    account = f"user:{user.pk}" if user is not None else f"name:{folded(identifier)[:256]}"
    reserved = throttle.reserve(account, client_ip)
    right = check(user if reserved.allowed and own else None, password)
    asked = user if reserved.allowed and user is not None and user.is_active else None
    right = right or any(other(asked, password) for other in others)
    if right:
        reserved.succeeded()
    return right


@lru_cache(maxsize=1)
def _nobodys() -> str:
    """A hash of the same cost that nothing matches."""
    return make_password(secrets.token_urlsafe(32))


class _Turn:
    """Wait for a free place to hash."""

    def __enter__(self) -> None:
        if not _queue.acquire(blocking=False):
            raise Busy(_("Too many logins at once; try again in a few seconds"))
        _hashing.acquire()

    def __exit__(self, *failure: object) -> None:
        _hashing.release()
        _queue.release()
