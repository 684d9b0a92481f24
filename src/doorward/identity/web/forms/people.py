"""Create and change users and groups."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy, gettext_noop

from doorward.identity.directory.models import Group, User
from doorward.identity.directory.passwords import SHORTEST
from doorward.identity.web.forms.account import secret_input
from doorward.identity.web.forms.fields import GroupsField, ObjectField, PersonField, plain_input

ATTRIBUTES = gettext_noop("A JSON object. Applications are told it, and policies and header names can refer to it.")


class UserForm(forms.Form):
    username = forms.CharField(max_length=150, widget=plain_input(autocomplete="off"))
    name = forms.CharField(label="Full name", max_length=500, required=False)
    email = forms.EmailField(label="E-mail", required=False)
    groups = GroupsField(label="Groups")
    type = forms.ChoiceField(
        label="Kind of account",
        choices=[
            (User.Type.INTERNAL, gettext_lazy("A person of this organisation")),
            (User.Type.EXTERNAL, gettext_lazy("A person from outside")),
            (User.Type.SERVICE_ACCOUNT, gettext_lazy("A machine")),
        ],
        initial=User.Type.INTERNAL,
    )
    attributes = ObjectField(label="Attributes", help_text=ATTRIBUTES)

    def __init__(self, data: Any = None, *, user: User | None = None) -> None:
        initial = None
        if user is not None:
            names = ("username", "name", "email", "type", "attributes")
            initial = {**{name: getattr(user, name) for name in names}, "groups": list(user.groups.all())}
        super().__init__(data, initial=initial)
        if user is not None and user.type == User.Type.INTERNAL_SERVICE_ACCOUNT:
            # An outpost's own account: its kind is not for choosing.
            del self.fields["type"]


class NewUserForm(UserForm):
    password = forms.CharField(
        strip=False,
        required=False,
        widget=secret_input("new-password"),
        help_text=format_lazy(
            gettext_lazy("At least {shortest} characters. Without one nobody can log in as them yet."),
            shortest=SHORTEST,
        ),
    )
    field_order = ["username", "name", "email", "password", "groups", "type", "attributes"]


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="New password",
        strip=False,
        widget=secret_input("new-password"),
        help_text=format_lazy(gettext_lazy("At least {shortest} characters."), shortest=SHORTEST),
    )


class GroupForm(forms.Form):
    name = forms.CharField(max_length=150)
    is_superuser = forms.BooleanField(
        label="Members are administrators",
        required=False,
        help_text="They may change everything here, and read everything but secrets.",
    )
    parents = GroupsField(
        label="Part of", help_text="Members of this group are members of these too, and of what these are part of."
    )
    attributes = ObjectField(label="Attributes", help_text=ATTRIBUTES)

    def __init__(self, data: Any = None, *, group: Group | None = None) -> None:
        initial = None
        if group is not None:
            names = ("name", "is_superuser", "attributes")
            initial = {**{name: getattr(group, name) for name in names}, "parents": list(group.parents.all())}
        super().__init__(data, initial=initial)
        parents = self.fields["parents"]
        assert isinstance(parents, forms.ModelMultipleChoiceField)
        if group is not None:
            parents.queryset = Group.objects.exclude(pk=group.pk)


class MemberForm(forms.Form):
    user = PersonField(label="User")
