"""The writes about users; ``directory.actions`` is the face through which other rooms call them."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity.directory import names, passwords, queries
from doorward.identity.directory.errors import Refused
from doorward.identity.directory.limits import require_unlimited
from doorward.identity.directory.models import Group, User
from doorward.identity.directory.notices import (
    address_changed,
    attributes_changed,
    groups_given,
    groups_taken,
    password_chosen,
    password_replaced,
    rights_changed,
    subject_leaving,
    trust_ended,
    user_written,
)
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor

_EDITABLE = frozenset({"username", "name", "email", "path", "type", "is_active", "attributes"})
_CORE = "authentik.core"


def create_user(
    actor: Actor,
    *,
    username: str,
    name: str = "",
    email: str = "",
    groups: Iterable[Group] = (),
    password: str | None = None,
    **fields: object,
) -> User:
    """Create a user; without ``password`` nobody can log in as them yet. Raises ValidationError, Busy.

    ``fields``: path, type, is_active, attributes.
    """
    _refuse_unknown(fields)
    if actor != Actor.system() and names.is_reserved(username):
        raise ValidationError({"username": [_("This username is reserved for the program itself.")]})
    user = User(username=username, name=name, email=email)
    for field, value in fields.items():
        setattr(user, field, value)
    if password is None:
        user.set_unusable_password()
    else:
        require_unlimited(actor)
        _require_fit(actor, user, password)
        user.password = passwords.hashed(password)
    joined = list(groups)
    with transaction.atomic():
        groups_given.send(User, actor=actor, groups=joined)
        _validate(user)
        user.save(force_insert=True)
        user.groups.set(joined)
        events.created(actor, user)
        attributes_changed.send(User, before={}, after=user.attributes)
        if password is not None:
            events.record("password_set", _CORE, actor, target=user)
    return user


def update_user(
    actor: Actor, user: User, *, groups: Iterable[Group] | None = None, keep_sid: str = "", **changes: object
) -> User:
    """Change a user. Deactivation ends all their logins, proxy sessions and tokens at once (S-321), another e-mail
    address all but the login ``keep_sid`` (S-520).

    Raises ValidationError; Refused for deactivating oneself or the last superuser (S-621); PermissionDenied (S-603).
    """
    _refuse_unknown(changes)
    with transaction.atomic():
        lock(user)
        user_written.send(User, actor=actor, user=user)
        had_superuser = queries.a_superuser_exists()
        before = events.snapshot(user)
        former = list(user.groups.all())
        for field, value in changes.items():
            setattr(user, field, value)
        if user.username != before["username"] and actor != Actor.system() and names.is_reserved(user.username):
            raise ValidationError({"username": [_("This username is reserved for the program itself.")]})
        if user.email != before["email"]:
            require_unlimited(actor)  # it is where a recovery letter goes
        _validate(user)
        ended = bool(before["is_active"]) and not user.is_active
        if ended and actor.user is not None and actor.user.pk == user.pk:
            raise Refused(_("You cannot deactivate yourself; ask another administrator."))
        user.save()
        wanted = former if groups is None else sorted(set(groups), key=lambda group: group.name)
        groups_given.send(User, actor=actor, groups=[group for group in wanted if group not in former])
        groups_taken.send(User, actor=actor, groups=[group for group in former if group not in wanted])
        user.groups.set(wanted)
        require_a_superuser(had_superuser)
        changed_groups = {group.pk for group in former} != {group.pk for group in wanted}
        events.updated(actor, user, before, groups=(_names(former), _names(wanted)))
        if user.attributes != before["attributes"]:
            attributes_changed.send(User, before=before["attributes"], after=user.attributes)
        if user.email != before["email"]:
            address_changed.send(User, user=user, former=str(before["email"]))
        if ended or user.email != before["email"]:
            trust_ended.send(User, user=user, except_sid="" if ended else keep_sid)
        elif changed_groups:
            rights_changed.send(User, users=[user])
    return user


def set_password(actor: Actor, user: User, password: str, *, keep_sid: str = "") -> None:
    """Set a password and end all other logins of this user (S-520); the login ``keep_sid`` may stay.

    Raises ValidationError, Busy.
    """
    user_written.send(User, actor=actor, user=user)
    require_unlimited(actor)
    _require_fit(actor, user, password)
    encoded = passwords.hashed(password)
    with transaction.atomic():
        password_replaced.send(User, user=user, former=user.password)
        user.password = encoded
        user.password_change_date = timezone.now()
        user.save(update_fields=["password", "password_change_date", "last_updated"])
        events.record("password_set", _CORE, actor, target=user)
        trust_ended.send(User, user=user, except_sid=keep_sid)


def set_password_hash(actor: Actor, user: User, encoded: str, *, keep_sid: str = "") -> None:
    """Set a password that is known by its hash alone, as another Django program kept it; else as ``set_password``.

    Raises ValidationError for a form that this program does not check, or one that would cost it too much.
    """
    user_written.send(User, actor=actor, user=user)
    require_unlimited(actor)
    passwords.require_affordable_hash(encoded)
    with transaction.atomic():
        password_replaced.send(User, user=user, former=user.password)
        user.password = encoded
        user.password_change_date = timezone.now()
        user.save(update_fields=["password", "password_change_date", "last_updated"])
        events.record("password_set", _CORE, actor, target=user)
        trust_ended.send(User, user=user, except_sid=keep_sid)


def delete_user(actor: Actor, user: User, *, leaving: bool = False) -> None:
    """Delete a user and everything that was theirs (S-817). ``leaving``: users may delete themselves.

    Raises Refused (S-621), also when something that only they could enter would then be open to all.
    """
    if not leaving and actor.user is not None and actor.user.pk == user.pk:
        raise Refused(_("You cannot delete yourself; ask another administrator."))
    with transaction.atomic():
        user_written.send(User, actor=actor, user=user)
        had_superuser = queries.a_superuser_exists()
        subject_leaving.send(User, subject=user)
        trust_ended.send(User, user=user, except_sid="")
        events.deleted(actor, user)
        user.delete()
        require_a_superuser(had_superuser)


def lock(user: User) -> None:
    """Whoever relies on this user's rights in a transaction of their own comes before or after, not between (S-325)."""
    User.objects.select_for_update().filter(pk=user.pk).first()


def require_a_superuser(there_was_one: bool) -> None:
    """Raise Refused, and so undo the transaction, if the last superuser has just gone (S-621)."""
    if there_was_one and not queries.a_superuser_exists():
        raise Refused(_("This would leave nobody who can administer Doorward; make another superuser first."))


def _validate(user: User) -> None:
    names.require_username(user.username)
    names.require_plain(user.name, "name")
    names.require_storable(user.attributes, "attributes")
    if not isinstance(user.attributes, dict):
        raise ValidationError({"attributes": [_("Attributes are a JSON object.")]})
    if user.path.startswith("/") or user.path.endswith("/") or "//" in user.path or not user.path:
        raise ValidationError({"path": [_("No leading, trailing or double slashes allowed.")]})
    same = User.objects.filter(folded_username=names.folded(user.username)).exclude(pk=user.pk)
    if same.exists():
        raise ValidationError({"username": [_("There is a user of this name, or of one that looks the same.")]})
    user.folded_username = names.folded(user.username)
    user.full_clean(exclude=["password"])


def _require_fit(actor: Actor, user: User, password: str) -> None:
    """Raise ValidationError for a password that the installation's rules forbid; what the program sets is exempt."""
    passwords.require_acceptable(password)
    if actor != Actor.system():
        password_chosen.send(User, user=user, password=password)


def _refuse_unknown(fields: dict[str, object]) -> None:
    if unknown := fields.keys() - _EDITABLE:
        raise TypeError(f"a user has no {', '.join(sorted(unknown))}")


def _names(groups: Iterable[Group]) -> list[str]:
    return sorted(group.name for group in groups)
