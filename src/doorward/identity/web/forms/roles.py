"""Roles: their name, their holders, what they permit."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.directory.models import Group
from doorward.identity.roles.catalogue import KINDS, PERMISSIONS, model_of
from doorward.identity.web.forms.fields import PersonField, plain_input

NAMES = {
    "directory.User": "username",
    "directory.Group": "name",
    "directory.Token": "identifier",
    "roles.Role": "name",
    "applications.Application": "slug",
    "applications.Provider": "name",
    "oauth2.OAuth2Provider": "name",
    "outposts.ProxyProvider": "name",
    "outposts.Outpost": "name",
    "flows.Flow": "slug",
    "stages.Invitation": "name",
}
"""What people call an object of a kind; others are named by their keys."""


class RoleForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=150)


class HolderForm(forms.Form):
    user = PersonField(label=gettext_lazy("User"), required=False)
    group = forms.ModelChoiceField(
        Group.objects.order_by("name"), label=gettext_lazy("Or a group"), required=False, empty_label=""
    )

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError unless one of the two is named."""
        values = super().clean() or {}
        if not self.errors and bool(values.get("user")) == bool(values.get("group")):
            raise ValidationError(_("Name a user or a group."))
        return values


def _choices() -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (kind.words, [(name, each.words) for name, each in PERMISSIONS.items() if each.kind is kind]) for kind in KINDS
    ]


class GrantForm(forms.Form):
    permission = forms.ChoiceField(label=gettext_lazy("Permission"), choices=_choices)
    object = forms.CharField(
        label=gettext_lazy("Only for"),
        required=False,
        max_length=255,
        widget=plain_input(autocomplete="off"),
        help_text=gettext_lazy("A user name, the name of a group, the slug of an application. Empty: for all."),
    )

    def clean(self) -> dict[str, Any]:
        """Puts the key of the object in the place of its name. Raises ValidationError for nothing of this name."""
        values = super().clean() or {}
        text, name = values.get("object", ""), values.get("permission", "")
        if text and name in PERMISSIONS:
            values["object"] = _key(PERMISSIONS[name].kind.model, model_of(PERMISSIONS[name].kind), text)
        return values


def _key(label: str, model: type[Model] | None, text: str) -> str:
    if model is None:
        raise ValidationError({"object": _("This permission is about nothing in particular; leave it empty.")})
    found = model._default_manager.filter(**{NAMES[label]: text}).first() if label in NAMES else None
    return text if found is None else str(found.pk)
