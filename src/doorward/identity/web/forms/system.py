"""What a superuser says about the installation as a whole."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.system.models import SystemSettings
from doorward.identity.web.forms.fields import DurationField, ObjectField


class SystemForm(forms.Form):
    event_retention = DurationField(
        label=gettext_lazy("How long events are kept"),
        help_text=gettext_lazy("Such as days=365. It counts for what happens from now on."),
    )
    event_retention_by_action = ObjectField(
        label=gettext_lazy("Some of them shorter or longer"),
        help_text=gettext_lazy('Actions and durations, such as {"login": "days=90"}.'),
    )
    default_token_duration = DurationField(
        label=gettext_lazy("How long a token lasts"),
        help_text=gettext_lazy("Where its maker does not say. Such as days=1."),
    )
    impersonation = forms.BooleanField(label=gettext_lazy("Administrators may act as other users"), required=False)
    impersonation_require_reason = forms.BooleanField(label=gettext_lazy("They have to give a reason"), required=False)
    footer_links = forms.JSONField(
        label=gettext_lazy("Links at the foot of pages"),
        required=False,
        widget=forms.Textarea(attrs={"rows": "3", "spellcheck": "false"}),
        help_text=gettext_lazy('A list such as [{"name": "Imprint", "href": "https://example.com/imprint"}].'),
    )
    pagination_default_page_size = forms.IntegerField(
        label=gettext_lazy("Objects per page of the API"), min_value=1, max_value=100
    )
    pagination_max_page_size = forms.IntegerField(label=gettext_lazy("And at most"), min_value=1, max_value=1000)

    def __init__(self, data: Any = None, *, settings: SystemSettings) -> None:
        super().__init__(data, initial={name: getattr(settings, name) for name in self.base_fields})

    def clean_footer_links(self) -> list[Any]:
        """Nothing is no link."""
        return self.cleaned_data["footer_links"] or []
