"""What an administrator says about a brand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.applications.models import Application
from doorward.identity.brands.actions import LONGEST_TITLE
from doorward.identity.brands.look import setting
from doorward.identity.brands.models import Brand
from doorward.identity.flows.models import Flow
from doorward.identity.languages.supported import LANGUAGES
from doorward.identity.web.forms.fields import FlowField, ObjectField, plain_input

_KIND = Flow.Designation
FLOWS = {
    "flow_authentication": (_KIND.AUTHENTICATION, gettext_lazy("Flow of the login")),
    "flow_invalidation": (_KIND.INVALIDATION, gettext_lazy("Flow of logging out")),
    "flow_recovery": (_KIND.RECOVERY, gettext_lazy("Flow of recovery")),
    "flow_unenrollment": (_KIND.UNRENOLLMENT, gettext_lazy("Flow of deleting one’s account")),
    "flow_user_settings": (_KIND.STAGE_CONFIGURATION, gettext_lazy("Flow of one’s own settings")),
    "flow_device_code": (_KIND.STAGE_CONFIGURATION, gettext_lazy("Flow of letting devices in")),
}
COLUMNS = (
    "domain",
    "branding_title",
    "branding_logo",
    "branding_favicon",
    "default",
    *FLOWS,
    "default_application",
)
THEME = ("base", "accent", "accent_dark")
ADDRESS = gettext_lazy("A path of this host, or an https URL. Empty: our own mark.")
FILE = gettext_lazy("PNG, JPEG, GIF, WebP or ICO, at most 256 KiB.")


class BrandForm(forms.Form):
    domain = forms.CharField(
        label=gettext_lazy("Domain"),
        max_length=253,
        widget=plain_input(placeholder="example.com"),
        help_text=gettext_lazy("A host name. The brand is for it and everything below it; the longest one wins."),
    )
    default = forms.BooleanField(label=gettext_lazy("Use it wherever no other brand is meant"), required=False)
    branding_title = forms.CharField(label=gettext_lazy("Title"), max_length=LONGEST_TITLE, initial="Doorward")
    branding_logo = forms.CharField(
        label=gettext_lazy("Logo"), required=False, max_length=2000, widget=plain_input(), help_text=ADDRESS
    )
    logo_file = forms.FileField(label=gettext_lazy("Or upload a logo"), required=False, help_text=FILE)
    branding_favicon = forms.CharField(
        label=gettext_lazy("Icon of the browser tab"),
        required=False,
        max_length=2000,
        widget=plain_input(),
        help_text=ADDRESS,
    )
    favicon_file = forms.FileField(label=gettext_lazy("Or upload an icon"), required=False, help_text=FILE)
    base = forms.ChoiceField(
        label=gettext_lazy("Light or dark"),
        choices=[
            ("automatic", gettext_lazy("As the device says")),
            ("light", gettext_lazy("Always light")),
            ("dark", gettext_lazy("Always dark")),
        ],
    )
    accent = forms.CharField(
        label=gettext_lazy("Colour"),
        required=False,
        max_length=7,
        widget=plain_input(placeholder="#17605a"),
        help_text=gettext_lazy("Of buttons and links on light pages. Empty: the colours of Doorward."),
    )
    accent_dark = forms.CharField(
        label=gettext_lazy("Colour on dark pages"),
        required=False,
        max_length=7,
        widget=plain_input(placeholder="#7fd0c3"),
        help_text=gettext_lazy("Empty: the other one, as light as it takes to be read."),
    )
    locale = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("", gettext_lazy("English, where a browser does not say")), *LANGUAGES],
        required=False,
        help_text=gettext_lazy("Where neither the user nor the browser wishes another."),
    )
    default_application = forms.ModelChoiceField(
        Application.objects.order_by("name"),
        label=gettext_lazy("Application of visitors from outside"),
        required=False,
        empty_label=gettext_lazy("None: they see their applications"),
        help_text=gettext_lazy("Where external users are sent instead of to the list of their applications."),
    )
    attributes = ObjectField(
        label=gettext_lazy("Attributes"), help_text=gettext_lazy("Anything else that you want to keep here.")
    )

    def __init__(self, data: Any = None, files: Any = None, *, brand: Brand | None = None) -> None:
        super().__init__(data, files, initial=_initial(brand) if brand else None)
        for name, (designation, label) in FLOWS.items():
            self.fields[name] = FlowField(
                designation, label=label, required=False, empty_label=gettext_lazy("The first there is")
            )
        self.order_fields([*(name for name in self.fields if name not in LAST), *LAST])

    @property
    def changes(self) -> dict[str, Any]:
        """The columns of the brand, without uploads."""
        values = self.cleaned_data
        theme = {name: values[name].strip() for name in THEME if values[name].strip()}
        rest = values["attributes"]
        kept = rest.get("settings")
        settings = {**(kept if isinstance(kept, dict) else {}), "theme": theme, "locale": values["locale"]}
        attributes = {**rest, "settings": {name: value for name, value in settings.items() if value}}
        return {**{name: values[name] for name in COLUMNS}, "attributes": attributes}


LAST = ("default_application", "attributes")


def _initial(brand: Brand) -> dict[str, Any]:
    found = brand.attributes.get("settings")
    settings = found if isinstance(found, dict) else {}
    others = {name: value for name, value in settings.items() if name not in {"theme", "locale"}}
    rest = {name: value for name, value in brand.attributes.items() if name != "settings"}
    return {
        **{name: getattr(brand, name) for name in COLUMNS},
        **{name: setting(brand, "theme", name) for name in THEME},
        "base": setting(brand, "theme", "base") or "automatic",
        "locale": setting(brand, "locale").lower(),
        "attributes": {**rest, **({"settings": others} if others else {})},
    }
