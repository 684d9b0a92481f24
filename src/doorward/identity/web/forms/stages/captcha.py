"""Captchas, of whichever service."""

from __future__ import annotations

from django import forms

from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.stages.models import CaptchaStage
from doorward.identity.stages.models.captcha import require_script, require_service
from doorward.identity.web.forms.fields import plain_input
from doorward.identity.web.forms.stages.base import StageForm


class CaptchaForm(StageForm):
    model = CaptchaStage
    title = gettext_lazy("Captcha")
    does = gettext_lazy("Keeps programs out")
    secret = frozenset({"private_key"})

    public_key = forms.CharField(
        label="Site key",
        max_length=1000,
        widget=plain_input(autocomplete="off"),
        help_text="The public one of the two keys.",
    )
    private_key = forms.CharField(
        label="Secret key",
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Kept sealed, and never shown again. Left empty, the one that is kept stays.",
    )
    js_url = forms.CharField(
        label="Script",
        max_length=2000,
        widget=plain_input(inputmode="url"),
        validators=[require_script],
        help_text="Turnstile: https://challenges.cloudflare.com/turnstile/v0/api.js, hCaptcha: https://js.hcaptcha.com/1/api.js. It runs in the page of this stage, so take one that you trust.",  # noqa: E501 - two addresses
    )
    api_url = forms.CharField(
        label="Where answers are checked",
        max_length=2000,
        widget=plain_input(inputmode="url"),
        validators=[require_service],
        help_text="Turnstile: https://challenges.cloudflare.com/turnstile/v0/siteverify, hCaptcha: https://api.hcaptcha.com/siteverify. When it does not answer, nobody gets past this stage.",  # noqa: E501 - two addresses
    )
    request_content_type = forms.ChoiceField(
        label="It is asked by",
        choices=[
            (CaptchaStage.ContentType.FORM, gettext_lazy("A form")),
            (CaptchaStage.ContentType.JSON, gettext_lazy("JSON")),
        ],
        help_text="The big services take a form.",
    )
    interactive = forms.BooleanField(
        label="There is something to click",
        required=False,
        help_text="Must fit the kind of site key. If not, the check runs by itself.",
    )
    score_min_threshold = forms.FloatField(
        label="Lowest score", min_value=0, max_value=1, help_text="Of services that give one, from 0 to 1."
    )
    score_max_threshold = forms.FloatField(label="Highest score", min_value=0, max_value=1, help_text="Usually 1.")
    error_on_invalid_score = forms.BooleanField(
        label="Stop whoever has another score",
        required=False,
        help_text="Whose answer is not good at all is always stopped.",
    )
