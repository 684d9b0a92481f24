"""The form that protects an application: name, outside URL, who may enter, and a few things that may wait."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.applications.models import Application, Provider
from doorward.identity.outposts import external_host as hosts
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.web.forms.domain import CookieDomainField, InternalHostField, ModeField, VerifiedField
from doorward.identity.web.forms.fields import PLAIN, GroupsField, PeopleField, plain_input

EVERYBODY, CHOSEN = "everybody", "chosen"


class ProtectForm(forms.Form):
    name = forms.CharField(
        max_length=150,
        help_text="What people call it, for example “Wiki”.",
        error_messages={"required": gettext_lazy("Give it a name.")},
    )
    external_host = forms.CharField(
        label="Outside URL",
        max_length=2000,
        widget=plain_input(inputmode="url", placeholder="https://wiki.example.com"),
        help_text="Where people open it, exactly as the browser shows it, with the port if there is one.",
        error_messages={"required": gettext_lazy("Enter the URL under which people open it.")},
    )
    mode = ModeField(required=False)
    cookie_domain = CookieDomainField()
    internal_host = InternalHostField()
    internal_host_ssl_validation = VerifiedField(initial=True)
    who = forms.ChoiceField(
        label="Who may enter",
        choices=[
            (EVERYBODY, gettext_lazy("Everybody who has an account here")),
            (CHOSEN, gettext_lazy("Only certain groups or users")),
        ],
        initial=EVERYBODY,
        widget=forms.RadioSelect,
    )
    groups = GroupsField(label="Groups", help_text="Members of any of them may enter.")
    users = PeopleField(label="Users", required=False, help_text="User names or e-mail addresses, separated by commas.")
    skip_path_regex = forms.CharField(
        label="Open paths",
        required=False,
        widget=forms.Textarea(attrs={**PLAIN, "rows": "3", "placeholder": "^/health$"}),
        help_text="Regular expressions, one per line: what matches is open to everybody, without a login.",
    )
    slug = forms.SlugField(
        max_length=50,
        required=False,
        widget=plain_input(**{"data-derives": "id_name"}),
        help_text="Its short name in addresses. Left empty, it is made from the name.",
    )
    group = forms.CharField(
        label="Heading in the library",
        max_length=150,
        required=False,
        help_text="Applications with the same heading stand together.",
    )
    meta_description = forms.CharField(label="Description", max_length=1000, required=False)
    meta_launch_url = forms.CharField(
        label="Start page",
        max_length=2000,
        required=False,
        widget=plain_input(inputmode="url"),
        help_text="Where its tile in the library leads, if not to the outside URL.",
    )

    def clean_name(self) -> str:
        """Refuse a second application under one name, before its provider's name would."""
        name: str = self.cleaned_data["name"]
        if Provider.objects.filter(name=f"Provider for {name}").exists():
            raise ValidationError(_("An application of this name is protected already; choose another name."))
        return name

    def clean_external_host(self) -> str:
        """In its normal form; without a scheme https is meant."""
        url: str = self.cleaned_data["external_host"].strip()
        try:
            return hosts.normalised(url if "://" in url else f"https://{url}")
        except ValidationError as error:
            raise ValidationError(error.messages) from error

    def clean(self) -> dict[str, Any]:
        """Somebody must be chosen where only those who are chosen may enter."""
        values = self.cleaned_data
        values["mode"] = values.get("mode") or ProxyProvider.Mode.FORWARD_SINGLE
        if values["mode"] != ProxyProvider.Mode.FORWARD_DOMAIN:
            values["cookie_domain"] = ""
        if values["mode"] != ProxyProvider.Mode.PROXY:
            values["internal_host"], values["internal_host_ssl_validation"] = "", True
        if values.get("who") == CHOSEN:
            if not values.get("groups") and not values.get("users") and not self.has_error("users"):
                self.add_error("groups", _("Choose at least one group or user: with none, everybody could enter."))
        else:
            values["groups"], values["users"] = [], []
        if not values.get("slug") and "slug" not in self.errors and "name" in values:
            values["slug"] = free_slug(values["name"], values.get("external_host", ""))
        return values


def free_slug(name: str, external_host: str) -> str:
    """A slug for ``name`` that no application has; of the host where the name has no letters for one."""
    stem = slugify(name)[:45] or slugify(external_host.partition("://")[2].partition(".")[0])[:45] or "application"
    slug, number = stem, 2
    while Application.objects.filter(slug=slug).exists():
        slug, number = f"{stem}-{number}", number + 1
    return slug
