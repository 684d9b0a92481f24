"""Who can reach what: about whom, from where, and under which change."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group
from doorward.identity.policies.models import Policy, PolicyBinding
from doorward.identity.reach.changes import (
    BindingAdded,
    BindingRemoved,
    Change,
    GroupDeleted,
    MemberAdded,
    MemberRemoved,
    UserDeactivated,
)
from doorward.identity.web.forms.fields import PersonField, plain_input


class ReachForm(forms.Form):
    user = PersonField(required=False, help_text="Everything that they can reach.")
    application = forms.ModelChoiceField(
        Application.objects.all(),
        required=False,
        empty_label=gettext_lazy("Choose an application"),
        help_text="Everybody who can.",
    )
    address = forms.GenericIPAddressField(
        label="Client address",
        required=False,
        widget=plain_input(),
        help_text="For rules about networks and places; without one they let nobody in.",
    )

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if not self.errors and not values.get("user") and not values.get("application"):
            self.add_error("user", _("Name a user, choose an application, or both."))
        return values


class ChangeForm(forms.Form):
    """One change; which fields it needs depends on its kind."""

    change = forms.ChoiceField(
        label="What if",
        choices=[
            ("member-added", gettext_lazy("the user were in the group")),
            ("member-removed", gettext_lazy("the user were not in the group")),
            ("group-deleted", gettext_lazy("the group were deleted")),
            ("user-deactivated", gettext_lazy("the user were deactivated")),
            ("binding-added", gettext_lazy("the group, user or policy were bound to the application")),
            ("binding-removed", gettext_lazy("it were no longer bound to the application")),
        ],
    )
    who = PersonField(label="User", required=False)
    group = forms.ModelChoiceField(Group.objects.all(), required=False, empty_label=gettext_lazy("Choose a group"))
    policy = forms.ModelChoiceField(Policy.objects.all(), required=False, empty_label=gettext_lazy("Choose a policy"))
    to = forms.ModelChoiceField(
        Application.objects.all(),
        label="Application",
        required=False,
        empty_label=gettext_lazy("Choose an application"),
    )
    from_address = forms.GenericIPAddressField(label="Client address", required=False, widget=plain_input())

    def clean(self) -> dict[str, Any]:
        """``made`` is the change. Says at its field what is missing."""
        values = self.cleaned_data
        if not self.errors:
            values["made"] = self._made(values)
        return values

    def _made(self, values: dict[str, Any]) -> Change | None:
        kind, user, group, application = values["change"], values["who"], values["group"], values["to"]
        if kind in ("member-added", "member-removed"):
            if self._there("group", group) and self._there("who", user):
                return MemberAdded(group, user) if kind == "member-added" else MemberRemoved(group, user)
        elif kind == "group-deleted":
            return GroupDeleted(group) if self._there("group", group) else None
        elif kind == "user-deactivated":
            return UserDeactivated(user) if self._there("who", user) else None
        elif self._there("to", application):
            return self._binding(kind, application, {"group": group, "user": user, "policy": values["policy"]})
        return None

    def _binding(self, kind: str, application: Application, subjects: dict[str, Any]) -> Change | None:
        if sum(subject is not None for subject in subjects.values()) != 1:
            self.add_error("group", _("Name one group, user or policy."))
            return None
        if kind == "binding-added":
            return BindingAdded(application, subjects)
        named = {name: subject for name, subject in subjects.items() if subject is not None}
        bound = PolicyBinding.objects.filter(target=application.pk, is_grant=False, **named).first()
        if bound is None:
            self.add_error("to", _("It is not bound there."))
            return None
        return BindingRemoved(bound)

    def _there(self, name: str, value: object) -> bool:
        if value is None:
            self.add_error(name, _("This is needed for that."))
        return value is not None


class StatementsForm(forms.Form):
    statements = forms.CharField(
        label="Access tests",
        max_length=100_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": "8", "class": "code-input", "spellcheck": "false"}),
        help_text="YAML, as in the file that doorward check --access reads.",
    )
