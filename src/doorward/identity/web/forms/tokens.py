"""Create a token: for oneself, or as an administrator for anybody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.applications.models import Application
from doorward.identity.applications.queries import accessible
from doorward.identity.directory.limits import AREAS
from doorward.identity.directory.models import Token, User
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.web.forms.fields import PersonField, plain_input

LIVES = {
    "1": gettext_lazy("A day"),
    "30": gettext_lazy("30 days"),
    "365": gettext_lazy("A year"),
    "": gettext_lazy("For ever, until it is deleted"),
}
"""Days."""
DEVICE = "device"
"""An app password for one application."""
INTENTS = [
    (DEVICE, gettext_lazy("A device or script: opens one application, and nothing else")),
    (Token.Intent.API, gettext_lazy("API token: for scripts that administer Doorward or ask it")),
    (Token.Intent.APP_PASSWORD, gettext_lazy("App password: for programs that log in with user name and password")),
]


class ApplicationField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    def label_from_instance(self, obj: Application) -> str:
        """Its name alone."""
        return obj.name


class OwnTokenForm(forms.Form):
    identifier = forms.SlugField(
        label=gettext_lazy("Name"),
        max_length=255,
        widget=plain_input(),
        help_text=gettext_lazy("Letters, digits, - and _; for example backup-script."),
    )
    intent = forms.ChoiceField(
        label=gettext_lazy("What it is for"), choices=INTENTS, widget=forms.RadioSelect, initial=Token.Intent.API
    )
    application = ApplicationField(
        Application.objects.none(),
        label=gettext_lazy("Application"),
        required=False,
        empty_label=gettext_lazy("Choose one"),
        help_text=gettext_lazy("It must take Authorization headers: applications behind Doorward’s outpost do."),
    )
    read_only = forms.BooleanField(
        label=gettext_lazy("Reading only"),
        required=False,
        help_text=gettext_lazy("For API tokens: it sees what its user may see, but no secrets, and changes nothing."),
    )
    resources = forms.MultipleChoiceField(
        label=gettext_lazy("Parts of the API"),
        choices=list(AREAS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("For API tokens. None: all that its user may do."),
    )
    life = forms.ChoiceField(
        label=gettext_lazy("How long it works"), choices=list(LIVES.items()), initial="30", required=False
    )
    description = forms.CharField(max_length=1000, required=False)

    def __init__(self, data: Any = None, *, user: User | None = None, **options: Any) -> None:
        """``user``: whose token it will be, if that is known; then only what they may enter can be chosen."""
        super().__init__(data, **options)
        found = Application.objects.filter(provider__in=ProxyProvider.objects.filter(intercept_header_auth=True))
        if user is not None:
            found = Application.objects.filter(pk__in=[each.pk for each in accessible(user, found)])
        choice = self.fields["application"]
        assert isinstance(choice, ApplicationField)
        choice.queryset = found.order_by("name")

    def clean(self) -> dict[str, Any]:
        """A device’s token is an app password that is for one application."""
        values = self.cleaned_data
        if values.get("intent") == DEVICE:
            values["intent"] = Token.Intent.APP_PASSWORD
            if values.get("application") is None and not self.has_error("application"):
                self.add_error("application", _("Choose the application that it opens."))
        else:
            values["application"] = None
        if values.get("intent") == Token.Intent.APP_PASSWORD:
            for name in ("read_only", "resources"):
                if values.get(name):
                    self.add_error(name, _("Only an API token can be limited to parts of the API."))
        return values

    def clean_identifier(self) -> str:
        """Names are unique over all users."""
        identifier: str = self.cleaned_data["identifier"]
        if Token.objects.filter(identifier=identifier).exists():
            raise ValidationError(_("There is a token of this name already."))
        return identifier

    @property
    def expires(self) -> datetime | None:
        """When it ends; None for never."""
        return _after(self.cleaned_data["life"])


class TokenForm(OwnTokenForm):
    user = PersonField(
        label=gettext_lazy("User"), help_text=gettext_lazy("Whoever uses the token may do what this user may.")
    )
    field_order = ["user", "identifier", "intent", "application", "read_only", "resources", "life", "description"]

    def clean(self) -> dict[str, Any]:
        """Whoever it is for must be let in by the application."""
        values = super().clean()
        user, application = values.get("user"), values.get("application")
        if user is not None and application is not None and not accessible(user, [application]):
            self.add_error("application", _("%(user)s may not enter it.") % {"user": user})
        return values


class ServiceAccountForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=150,
        widget=plain_input(),
        help_text=gettext_lazy("Its user name; for example backup-robot."),
    )
    create_group = forms.BooleanField(
        label=gettext_lazy("A group of the same name as well"),
        required=False,
        help_text=gettext_lazy("To let it, and others, in by the group."),
    )
    life = forms.ChoiceField(
        label=gettext_lazy("How long its token works"), choices=list(LIVES.items()), initial="365", required=False
    )

    @property
    def expires(self) -> datetime | None:
        """When the token ends; None for never."""
        return _after(self.cleaned_data["life"])


def _after(days: str) -> datetime | None:
    return timezone.now() + timedelta(days=int(days)) if days else None
