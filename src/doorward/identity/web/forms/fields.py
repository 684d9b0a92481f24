"""Fields that several forms have: people by their names, lengths of time, flows, addresses, JSON objects."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from doorward.identity import durations
from doorward.identity.directory.models import Group, User
from doorward.identity.directory.queries import find_by_identifier
from doorward.identity.flows.models import Flow

PLAIN = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}
"""Attributes of inputs for names and addresses, which no keyboard should improve."""
_SEPARATORS = re.compile(r"[,;\n]")


def plain_input(**more: str) -> forms.TextInput:
    return forms.TextInput(attrs={**PLAIN, **more})


class PersonField(forms.CharField):
    """A user, typed as user name or e-mail address."""

    widget = plain_input(autocomplete="off", list="usernames")

    def clean(self, value: Any) -> User | None:
        """Raises ValidationError for nobody."""
        text = super().clean(value)
        return _person(text) if text else None


class PeopleField(forms.CharField):
    """Users, separated by commas or line breaks."""

    widget = forms.Textarea(attrs={**PLAIN, "rows": "2"})

    def clean(self, value: Any) -> list[User]:
        """Raises ValidationError that names whoever does not exist."""
        names = [name.strip() for name in _SEPARATORS.split(super().clean(value))]
        found: dict[int, User] = {}
        for name in filter(None, names):
            user = _person(name)
            found[user.pk] = user
        return list(found.values())


def _person(name: str) -> User:
    user = find_by_identifier(name)
    if user is None:
        raise ValidationError(_("There is no user “%(name)s”.") % {"name": name}, "unknown")
    return user


class GroupsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Groups to tick."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.CheckboxSelectMultiple)
        super().__init__(Group.objects.all(), required=False, **options)


class DurationField(forms.CharField):
    """``hours=1;minutes=30``."""

    widget = plain_input()
    default_validators = [durations.require]

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", _("For example hours=8, or days=1;hours=12."))
        super().__init__(**options)


class FlowField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """A flow of one designation."""

    def __init__(self, designation: Flow.Designation, **options: Any) -> None:
        super().__init__(Flow.objects.filter(designation=designation), **options)

    def label_from_instance(self, obj: Flow) -> str:
        """Titles are alike; the slug tells them apart."""
        return obj.slug


class ObjectField(forms.JSONField):
    """A JSON object, empty unless given."""

    widget = forms.Textarea(attrs={**PLAIN, "rows": "4", "class": "code-input"})

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def prepare_value(self, value: Any) -> Any:
        """Nothing is shown as nothing."""
        return "" if value in (None, {}) else super().prepare_value(value)

    def clean(self, value: Any) -> dict[str, Any]:
        """Raises ValidationError for JSON of another kind."""
        read = super().clean(value)
        if read in (None, ""):
            return {}
        if not isinstance(read, dict):
            raise ValidationError(_('A JSON object, like {"language": "de"}.'), "kind")
        return read
