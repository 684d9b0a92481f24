"""People and machines: users, groups, and the tokens they hold."""

from __future__ import annotations

import hashlib
import secrets
import string
import uuid
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone

from doorward.identity.directory.limits import Limits


class Group(models.Model):
    """Membership is inherited upward: a member of a child is a member of all its ancestors."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    num_pk = models.PositiveIntegerField(unique=True, editable=False)
    """Stable number, for clients that cannot take a UUID."""
    name = models.TextField(unique=True)
    is_superuser = models.BooleanField(default=False)
    attributes = models.JSONField(default=dict, blank=True)
    parents = models.ManyToManyField("self", symmetrical=False, related_name="children", blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        if self.num_pk is None:
            highest = Group.objects.aggregate(highest=models.Max("num_pk"))["highest"]
            self.num_pk = (highest or 0) + 1
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username=username)


class User(AbstractBaseUser):
    """A person or a machine account (``contracts/identity.md`` section 3.1). Superuser is computed from groups."""

    class Type(models.TextChoices):
        INTERNAL = "internal"
        EXTERNAL = "external"
        SERVICE_ACCOUNT = "service_account"
        INTERNAL_SERVICE_ACCOUNT = "internal_service_account"

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    username = models.CharField(max_length=150, unique=True)
    folded_username = models.CharField(max_length=150, unique=True, editable=False)
    """NFKC and case folded: two users may not differ in spelling only (S-522)."""
    name = models.TextField(blank=True, default="")
    email = models.EmailField(blank=True, default="")
    path = models.TextField(default="users")
    type = models.CharField(max_length=32, choices=Type.choices, default=Type.INTERNAL)
    is_active = models.BooleanField(default=True)
    attributes = models.JSONField(default=dict, blank=True)
    groups = models.ManyToManyField(Group, related_name="users", blank=True)
    date_joined = models.DateTimeField(default=timezone.now)
    last_updated = models.DateTimeField(auto_now=True)
    password_change_date = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    known_groups: list[Group] | None = None
    """``all_groups``, where somebody has read them already; no column."""

    class Meta:
        ordering = ["username"]

    def __str__(self) -> str:
        return self.username

    def save(self, *args: object, **kwargs: object) -> None:
        from doorward.identity.directory.names import folded

        self.folded_username = folded(self.username)
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def uid(self) -> str:
        """Stable pseudonym: hex SHA-256 of primary key and installation id (the default ``sub`` of tokens)."""
        from django.conf import settings

        return hashlib.sha256(f"{self.pk}-{settings.INSTALLATION_ID}".encode()).hexdigest()

    def all_groups(self) -> list[Group]:
        """Direct groups and all their ancestors, by name."""
        if self.known_groups is not None:
            return sorted(self.known_groups, key=lambda group: group.name)
        if self.pk is None:
            return []
        if "groups" in getattr(self, "_prefetched_objects_cache", {}):
            return self._walked_up()  # whoever reads many people has read their groups along
        found = Group.objects.raw(
            "SELECT * FROM directory_group WHERE id IN (WITH RECURSIVE mine (id) AS ("
            "SELECT group_id FROM directory_user_groups WHERE user_id = %s "
            "UNION SELECT to_group_id FROM directory_group_parents JOIN mine ON from_group_id = mine.id"
            ") SELECT id FROM mine)",
            [self.pk],
        )
        return sorted(found, key=lambda group: group.name)

    def _walked_up(self) -> list[Group]:
        seen: dict[uuid.UUID, Group] = {}
        waiting = list(self.groups.all())
        while waiting:
            group = waiting.pop()
            if group.pk not in seen:
                seen[group.pk] = group
                waiting.extend(group.parents.all())
        return sorted(seen.values(), key=lambda group: group.name)

    @property
    def is_superuser(self) -> bool:
        return any(group.is_superuser for group in self.all_groups())


def new_key(length: int = 60) -> str:
    """A random alphanumeric secret; 60 characters hold about 357 bits."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(length))


class Token(models.Model):
    """A bearer secret of a user. Only its SHA-256 is kept; ``sealed_key`` holds the key until it is first viewed
    and is erased then: shown once (S-608)."""

    class Intent(models.TextChoices):
        VERIFICATION = "verification"
        API = "api"
        RECOVERY = "recovery"
        APP_PASSWORD = "app_password"  # noqa: S105 - the name of an intent

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    identifier = models.SlugField(max_length=255, unique=True)
    key_hash = models.CharField(max_length=64, unique=True)
    sealed_key = models.TextField(blank=True, default="")
    intent = models.CharField(max_length=16, choices=Intent.choices, default=Intent.API)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    description = models.TextField(blank=True, default="")
    expires = models.DateTimeField(null=True, blank=True, default=None)
    expiring = models.BooleanField(default=True)
    managed = models.TextField(null=True, blank=True, unique=True, default=None)
    application = models.ForeignKey(
        "applications.Application", null=True, blank=True, default=None, on_delete=models.CASCADE, related_name="+"
    )
    """An app password that opens this application and no other: for a device or a script. None: all that its user may
    enter."""
    last_used = models.DateTimeField(null=True, blank=True, default=None)
    """To a minute."""
    read_only = models.BooleanField(default=False, db_default=False)
    """It changes nothing (``limits``)."""
    resources = models.TextField(blank=True, default="", db_default="")
    """Parts of the API that it is for, separated by spaces; empty: all of it. API tokens only."""

    class Meta:
        ordering = ["identifier"]

    def __str__(self) -> str:
        return self.identifier

    @property
    def is_expired(self) -> bool:
        return self.expiring and self.expires is not None and self.expires <= timezone.now()

    @property
    def ends(self) -> datetime | None:
        """None: never."""
        return self.expires if self.expiring else None

    @property
    def parts(self) -> tuple[str, ...]:
        """``resources`` one by one."""
        return tuple(self.resources.split())

    @property
    def limits(self) -> Limits | None:
        """None: whoever has it may do all that its user may."""
        if not self.read_only and not self.resources:
            return None
        return Limits(self.read_only, self.parts, self.ends)


KEY_CHECK = "directory.installation.key_check:1"
"""What the word in ``Installation.key_check`` is sealed to."""


class Installation(models.Model):
    """The one row that says that the first start is over: written with the first administrator, never removed, so
    that deleting ``akadmin`` does not open the door again (S-523)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    first_started = models.DateTimeField(auto_now_add=True)
    key_check = models.TextField()
    """A known word, encrypted: tells whether ``secret.key`` belongs to this database."""

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_installation")]
