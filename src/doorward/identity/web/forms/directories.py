"""What an administrator says about an LDAP directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.directory.models import Group
from doorward.identity.sources.ldap.models import LDAPSource
from doorward.identity.sources.models import Source, SourceMapping
from doorward.identity.web.forms.fields import plain_input

_MATCHING = [
    (Source.UserMatching.IDENTIFIER, gettext_lazy("are left alone")),
    (Source.UserMatching.USERNAME_LINK, gettext_lazy("become theirs, where the user name is the same")),
    (Source.UserMatching.EMAIL_LINK, gettext_lazy("become theirs, where the address is the same")),
]


if TYPE_CHECKING:
    _Base = forms.ModelForm[LDAPSource]
else:
    _Base = forms.ModelForm


class DirectoryForm(_Base):
    bind_password = forms.CharField(
        label=gettext_lazy("Password of the reader"),
        required=False,
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Kept encrypted, and never shown. Empty: as it is."),
    )
    user_matching_mode = forms.ChoiceField(label=gettext_lazy("Accounts that are here already"), choices=_MATCHING)
    mappings = forms.ModelMultipleChoiceField(
        SourceMapping.objects.filter(kind=LDAPSource.KIND),
        label=gettext_lazy("Mappings of users"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None: uid or sAMAccountName, displayName or cn, and mail."),
    )

    class Meta:
        model = LDAPSource
        fields = (
            "name", "slug", "enabled", "server_uri", "start_tls", "peer_certificate", "client_certificate", "bind_cn",
            "bind_password", "base_dn", "additional_user_dn", "user_object_filter", "additional_group_dn",
            "group_object_filter", "object_uniqueness_field", "group_membership_field", "user_membership_attribute",
            "lookup_groups_from_user", "sync_users", "sync_groups", "sync_group_hierarchy", "sync_parent_group",
            "delete_not_found_objects", "password_login_update_internal_password", "user_matching_mode", "mappings",
        )  # fmt: skip
        labels = {
            "name": gettext_lazy("Name"),
            "slug": gettext_lazy("Slug"),
            "enabled": gettext_lazy("In use"),
            "server_uri": gettext_lazy("Servers"),
            "start_tls": gettext_lazy("Encrypt with StartTLS"),
            "peer_certificate": gettext_lazy("Authority of their certificates"),
            "client_certificate": gettext_lazy("Our own certificate"),
            "bind_cn": gettext_lazy("Reader"),
            "base_dn": gettext_lazy("Base"),
            "additional_user_dn": gettext_lazy("Where users are, below the base"),
            "user_object_filter": gettext_lazy("Filter of users"),
            "additional_group_dn": gettext_lazy("Where groups are, below the base"),
            "group_object_filter": gettext_lazy("Filter of groups"),
            "object_uniqueness_field": gettext_lazy("Attribute that never changes"),
            "group_membership_field": gettext_lazy("Attribute with the members of a group"),
            "user_membership_attribute": gettext_lazy("Attribute of users that stands there"),
            "lookup_groups_from_user": gettext_lazy("Users name their groups (memberOf)"),
            "sync_users": gettext_lazy("Copy users"),
            "sync_groups": gettext_lazy("Copy groups"),
            "sync_group_hierarchy": gettext_lazy("Groups in groups become their children"),
            "sync_parent_group": gettext_lazy("Parent of all groups"),
            "delete_not_found_objects": gettext_lazy("Deactivate users, and delete groups, that are gone there"),
            "password_login_update_internal_password": gettext_lazy("Keep the password of a login here as well"),
        }
        help_texts = {
            "server_uri": gettext_lazy("ldaps://host or ldap://host; several with commas between them."),
            "peer_certificate": gettext_lazy("None: those that the system believes. They are always checked."),
            "bind_cn": gettext_lazy("Such as cn=reader,dc=example,dc=com. Empty: nobody in particular."),
            "object_uniqueness_field": gettext_lazy("OpenLDAP: entryUUID. Active Directory: objectSid."),
        }
        widgets = {
            name: plain_input()
            for name in (
                "name", "slug", "server_uri", "bind_cn", "base_dn", "additional_user_dn", "user_object_filter",
                "additional_group_dn", "group_object_filter", "object_uniqueness_field", "group_membership_field",
                "user_membership_attribute",
            )
        }  # fmt: skip

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["sync_parent_group"].queryset = Group.objects.order_by("name")  # type: ignore[attr-defined]
        for name in ("peer_certificate", "client_certificate"):
            self.fields[name].queryset = CertificateKeyPair.objects.order_by("name")  # type: ignore[attr-defined]
        if self.instance.pk and not self.is_bound:
            self.initial["mappings"] = list(self.instance.user_property_mappings.all())

    def _post_clean(self) -> None:
        """The action validates and writes; a form that changed the object beforehand would hide what differs."""

    @property
    def changes(self) -> dict[str, Any]:
        """What to write."""
        found = dict(self.cleaned_data)
        found["user_property_mappings"] = found.pop("mappings")
        if not found["bind_password"]:
            del found["bind_password"]
        return found
