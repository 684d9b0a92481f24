"""Which applications an outpost serves. People choose applications; what is stored are their providers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from doorward.identity.applications.models import Application, Provider
from doorward.identity.outposts.models import Outpost, ProxyProvider


class ServedField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    def label_from_instance(self, obj: Application) -> str:
        """Its name, and the host that the outpost answers for."""
        assert obj.provider is not None
        provider = obj.provider.concrete()
        assert isinstance(provider, ProxyProvider)
        return f"{obj.name} ({provider.external_host})"


def _proxied() -> QuerySet[Application]:
    return Application.objects.filter(provider__kind=ProxyProvider.KIND).select_related(
        "provider__oauth2provider__proxyprovider"
    )


class NewOutpostForm(forms.Form):
    """An outpost that runs elsewhere."""

    name = forms.CharField(max_length=100, help_text="For you, and for the list of outposts.")
    applications = ServedField(
        _proxied(),
        widget=forms.CheckboxSelectMultiple,
        help_text="What it is to answer for. It can be chosen anew at any time.",
    )

    @property
    def providers(self) -> list[Provider]:
        """Those of the applications that were ticked."""
        return [application.provider for application in self.cleaned_data["applications"]]


class OutpostForm(forms.Form):
    applications = ServedField(
        _proxied(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Only what is ticked is answered for; everything else is “no app for hostname”.",
    )

    def __init__(self, data: Any = None, *, outpost: Outpost) -> None:
        served = Application.objects.filter(provider__outposts=outpost)
        super().__init__(data, initial={"applications": list(served)})
        self._outpost = outpost

    @property
    def providers(self) -> list[Provider]:
        """Those of the applications that were ticked, and those that no application has yet: nobody saw them here."""
        ticked = [application.provider for application in self.cleaned_data["applications"]]
        return [*ticked, *self._outpost.providers.filter(application__isnull=True)]
