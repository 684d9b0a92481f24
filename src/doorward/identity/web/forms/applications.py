"""Create and change an application, and who may enter it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.utils.translation import gettext as _

from doorward.identity.applications.models import Application, Provider
from doorward.identity.brands import pictures
from doorward.identity.directory.models import Group
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.policies.models import Policy, PolicyTarget
from doorward.identity.web.forms.fields import PersonField, plain_input
from doorward.identity.web.forms.protect import free_slug

FIELDS = (
    "name",
    "slug",
    "provider",
    "meta_launch_url",
    "group",
    "meta_description",
    "meta_publisher",
    "meta_icon",
    "open_in_new_tab",
    "meta_hide",
    "policy_engine_mode",
)


class ApplicationForm(forms.Form):
    name = forms.CharField(max_length=150)
    slug = forms.SlugField(
        max_length=50,
        required=False,
        widget=plain_input(**{"data-derives": "id_name"}),
        help_text="Its short name in addresses. Left empty, it is made from the name.",
    )
    provider = forms.ModelChoiceField(
        Provider.objects.none(),
        required=False,
        empty_label=gettext_lazy("None: only a link in the library"),
        help_text="How people get in. A provider serves one application.",
    )
    meta_launch_url = forms.CharField(
        label="Start page",
        max_length=2000,
        required=False,
        widget=plain_input(inputmode="url"),
        help_text="Where its tile leads, if not to the outside URL. %(username)s and %(email)s are filled in.",
    )
    group = forms.CharField(
        label="Heading in the library",
        max_length=150,
        required=False,
        help_text="Applications with the same heading stand together.",
    )
    meta_description = forms.CharField(label="Description", max_length=1000, required=False)
    meta_publisher = forms.CharField(label="Publisher", max_length=150, required=False)
    meta_icon = forms.CharField(
        label="Icon", max_length=2000, required=False, widget=plain_input(), help_text="Path of an image on this host."
    )
    icon_file = forms.FileField(
        label=gettext_lazy("Or upload an icon"),
        required=False,
        help_text=gettext_lazy("PNG, JPEG, GIF, WebP or ICO, at most 256 KiB."),
    )
    open_in_new_tab = forms.BooleanField(label="Open in a new tab", required=False)
    meta_hide = forms.BooleanField(label="Do not show it in the library", required=False)
    policy_engine_mode = forms.ChoiceField(
        label="When several groups or users are named",
        choices=[
            (PolicyTarget.EngineMode.ANY, gettext_lazy("Whoever is one of them may enter")),
            (PolicyTarget.EngineMode.ALL, gettext_lazy("Only who is all of them may enter")),
        ],
        initial=PolicyTarget.EngineMode.ANY,
        widget=forms.RadioSelect,
    )

    def __init__(
        self, data: Any = None, files: Any = None, *, application: Application | None = None, **options: Any
    ) -> None:
        if application is not None:
            options["initial"] = {name: getattr(application, name) for name in FIELDS}
        super().__init__(data, files, **options)
        free = Q(application__isnull=True)
        if application is not None:
            free |= Q(application=application)
            self.fields["slug"].required = True
            self.fields["slug"].help_text = _("Its short name in addresses. A new one ends all logins to it.")
        provider = self.fields["provider"]
        assert isinstance(provider, forms.ModelChoiceField)
        provider.queryset = Provider.objects.filter(free)

    def changes(self) -> dict[str, Any]:
        """What to write, with the address of an icon that was uploaded. Raises ValidationError."""
        values = dict(self.cleaned_data)
        upload = values.pop("icon_file")
        if isinstance(upload, UploadedFile):
            values["meta_icon"] = pictures.keep("icon_file", upload.read(pictures.LARGEST + 1))
        return values

    def clean(self) -> dict[str, Any]:
        """Make a slug where none was given."""
        values = self.cleaned_data
        if not values.get("slug") and "slug" not in self.errors and "name" in values:
            values["slug"] = free_slug(values["name"], values.get("meta_launch_url", ""))
        return values


class BindingForm(forms.Form):
    """One group or one user who may (or may not) enter."""

    group = forms.ModelChoiceField(Group.objects.all(), required=False, empty_label=gettext_lazy("Choose a group"))
    user = PersonField(label="or user", required=False)
    policy = forms.ModelChoiceField(
        Policy.objects.all(), label="or policy", required=False, empty_label=gettext_lazy("Choose a policy")
    )
    negate = forms.BooleanField(label="Everybody but them", required=False)
    expires = forms.DateTimeField(
        label="Until (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Then it ends by itself. Left empty, it stays.",
    )

    def clean(self) -> dict[str, Any]:
        """Exactly one."""
        values = self.cleaned_data
        if not self.errors and sum(bool(values.get(name)) for name in ("group", "user", "policy")) != 1:
            self.add_error(None, _("Choose a group or a policy, or name a user: one of them."))
        values["expiring"] = values.get("expires") is not None
        return values


class CheckForm(forms.Form):
    """May this user enter?"""

    check = PersonField(label="User")


class DeleteApplicationForm(forms.Form):
    with_provider = forms.BooleanField(label="", required=False)

    def __init__(self, data: Any = None, *, provider: Provider) -> None:
        super().__init__(data, initial={"with_provider": True})
        self.fields["with_provider"].label = _("Delete its provider “%(name)s” too") % {"name": provider.name}
