"""What a superuser says about who is told what."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.directory.models import Group
from doorward.identity.notifications.models import Rule, Severity, Transport, WebhookMapping
from doorward.identity.policies.models import Policy, PolicyTarget
from doorward.identity.web.forms.fields import plain_input


class RuleForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    severity = forms.ChoiceField(label=gettext_lazy("Severity"), choices=Severity.choices)
    destination_group = forms.ModelChoiceField(
        Group.objects.order_by("name"),
        label=gettext_lazy("Group that is told"),
        required=False,
        empty_label=gettext_lazy("None"),
    )
    destination_event_user = forms.BooleanField(label=gettext_lazy("Also tell whoever the event is by"), required=False)
    transports = forms.ModelMultipleChoiceField(
        Transport.objects.order_by("name"),
        label=gettext_lazy("How they are told"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None: on their pages here."),
    )
    policy_engine_mode = forms.ChoiceField(
        label=gettext_lazy("Its policies"),
        choices=[
            (PolicyTarget.EngineMode.ANY, gettext_lazy("one of them has to speak of the event")),
            (PolicyTarget.EngineMode.ALL, gettext_lazy("all of them have to speak of the event")),
        ],
    )

    def __init__(self, data: Any = None, *, rule: Rule | None = None) -> None:
        super().__init__(data, initial=_of(rule, self.base_fields) if rule is not None else None)


class TransportForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    mode = forms.ChoiceField(label=gettext_lazy("Way"), choices=Transport.Mode.choices)
    webhook_url = forms.CharField(
        label=gettext_lazy("Address of the webhook"),
        required=False,
        max_length=2000,
        widget=plain_input(placeholder="https://hooks.example.com/…"),
        help_text=gettext_lazy("Only for webhooks. It is asked by POST; redirects are not followed."),
    )
    webhook_mapping_body = forms.ModelChoiceField(
        WebhookMapping.objects.order_by("name"),
        label=gettext_lazy("Body of the request"),
        required=False,
        empty_label=gettext_lazy("The usual one"),
    )
    webhook_mapping_headers = forms.ModelChoiceField(
        WebhookMapping.objects.order_by("name"),
        label=gettext_lazy("Headers of the request"),
        required=False,
        empty_label=gettext_lazy("None of its own"),
    )
    email_subject_prefix = forms.CharField(
        label=gettext_lazy("Beginning of the subject of letters"), required=False, max_length=100, strip=False
    )
    send_once = forms.BooleanField(
        label=gettext_lazy("One message for everybody, such as into a chat room"), required=False
    )

    def __init__(self, data: Any = None, *, transport: Transport | None = None) -> None:
        super().__init__(data, initial=_of(transport, self.base_fields) if transport is not None else None)


class MappingForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    expression = forms.CharField(
        label=gettext_lazy("Expression"),
        widget=forms.Textarea(attrs={"rows": "8", "spellcheck": "false", "class": "code"}),
        help_text=gettext_lazy("It returns the body, or a dict of headers. notification has body, severity and event."),
    )

    def __init__(self, data: Any = None, *, mapping: WebhookMapping | None = None) -> None:
        super().__init__(data, initial=_of(mapping, self.base_fields) if mapping is not None else None)


class BoundPolicyForm(forms.Form):
    policy = forms.ModelChoiceField(Policy.objects.order_by("name"), label=gettext_lazy("Policy"), empty_label=None)


def _of(instance: Any, names: Any) -> dict[str, Any]:
    values = {name: getattr(instance, name) for name in names}
    return {name: value.all() if hasattr(value, "all") else value for name, value in values.items()}
