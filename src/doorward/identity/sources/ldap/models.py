"""An LDAP directory whose people log in here, and how the last copy of it went."""

from __future__ import annotations

from django.db import models

from doorward.identity.crypto import vault
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.directory.models import Group
from doorward.identity.sources.models import Source


class LDAPSource(Source):
    """Names and defaults are authentik's (``contracts/identity.md`` section 14)."""

    KIND = "ldap"

    server_uri = models.TextField()
    """One or several, with commas between them: the next one is asked when one is away."""
    start_tls = models.BooleanField(default=False)
    sni = models.BooleanField(default=False)
    """Kept for clients; the name of the server is always sent."""
    peer_certificate = models.ForeignKey(
        CertificateKeyPair, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """Whose certificates are believed; None: those of the system's authorities. They are always checked."""
    client_certificate = models.ForeignKey(
        CertificateKeyPair, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    bind_cn = models.TextField(blank=True, default="")
    """Who reads the directory; empty: nobody in particular."""
    sealed_bind_password = models.TextField(blank=True, default="")
    base_dn = models.TextField()
    additional_user_dn = models.TextField(blank=True, default="")
    """Below the base, where people are."""
    additional_group_dn = models.TextField(blank=True, default="")
    user_object_filter = models.TextField(default="(objectClass=person)")
    group_object_filter = models.TextField(default="(objectClass=group)")
    group_membership_field = models.TextField(default="member")
    """Attribute of a group that holds its members; of a user with ``lookup_groups_from_user``, their groups."""
    user_membership_attribute = models.TextField(default="distinguishedName")
    """What stands there: this attribute of a user."""
    object_uniqueness_field = models.TextField(default="objectSid")
    password_login_update_internal_password = models.BooleanField(default=False)
    sync_users = models.BooleanField(default=True)
    sync_groups = models.BooleanField(default=True)
    sync_parent_group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """The parent of all groups that come from here."""
    sync_group_hierarchy = models.BooleanField(default=False)
    """A group that is a member of a group becomes its child."""
    lookup_groups_from_user = models.BooleanField(default=False)
    delete_not_found_objects = models.BooleanField(default=False)
    """Whoever is not in the directory any more is deactivated here; groups are deleted."""

    @property
    def bind_password(self) -> str:
        """Raises vault.Unreadable; empty when there is none."""
        return vault.unseal(self.sealed_bind_password, self.place()) if self.sealed_bind_password else ""

    @bind_password.setter
    def bind_password(self, password: str) -> None:
        self.sealed_bind_password = vault.seal(password, self.place()) if password else ""

    def place(self) -> str:
        """What the password is sealed to."""
        return f"sources_ldap.bind:{self.id}"

    @property
    def user_base(self) -> str:
        return ",".join(part for part in (self.additional_user_dn, self.base_dn) if part)

    @property
    def group_base(self) -> str:
        return ",".join(part for part in (self.additional_group_dn, self.base_dn) if part)


class Sync(models.Model):
    """How far the copying of a directory is, or how the last one went."""

    source = models.OneToOneField(LDAPSource, on_delete=models.CASCADE, related_name="sync", primary_key=True)
    wanted = models.DateTimeField(null=True, default=None)
    """Somebody has asked for one."""
    begun = models.DateTimeField(null=True, default=None)
    ended = models.DateTimeField(null=True, default=None)
    succeeded = models.DateTimeField(null=True, default=None)
    """When the last one that came to its end did so."""
    failure = models.TextField(blank=True, default="")
    """Why the last one did not."""
    users = models.PositiveIntegerField(default=0)
    groups = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    deactivated = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)
    """The first of those that made somebody be skipped."""

    def __str__(self) -> str:
        return f"{self.source}"

    @property
    def is_running(self) -> bool:
        return self.begun is not None and (self.ended is None or self.ended < self.begun)
