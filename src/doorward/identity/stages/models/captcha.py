"""A check that a person is there, by a service that others run."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext as _

from doorward.identity.crypto import vault
from doorward.identity.stages.models.base import Stage

RECAPTCHA_SCRIPT = "https://www.recaptcha.net/recaptcha/api.js"
RECAPTCHA_API = "https://www.recaptcha.net/recaptcha/api/siteverify"
_SCORE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


def require_script(url: str) -> None:
    """Raises ValidationError unless it is an https URL, or an http one on this machine."""
    host, scheme = _parts(url)
    if scheme != "https" and not (scheme == "http" and _is_loopback(host)):
        raise ValidationError(_("Write an https URL: the script runs in the login page."))


def require_service(url: str) -> None:
    """Raises ValidationError unless it is an http(s) URL."""
    if _parts(url)[1] not in ("http", "https"):
        raise ValidationError(_("Write an http(s) URL."))


class CaptchaStage(Stage):
    """Works with whatever speaks reCAPTCHA's protocol (v2 and v3): also Turnstile and hCaptcha."""

    KIND = "captcha"

    class ContentType(models.TextChoices):
        FORM = "application/x-www-form-urlencoded"
        JSON = "application/json"

    public_key = models.TextField()
    """The site key."""
    sealed_private_key = models.TextField()
    js_url = models.TextField(default=RECAPTCHA_SCRIPT, validators=[require_script])
    """The script that shows the check; its origin, and no other, is open to the one page that shows it."""
    api_url = models.TextField(default=RECAPTCHA_API, validators=[require_service])
    """Who says whether an answer is good."""
    request_content_type = models.CharField(max_length=64, choices=ContentType.choices, default=ContentType.FORM)
    interactive = models.BooleanField(default=False)
    """Whether there is something to click; if not, the check runs by itself."""
    score_min_threshold = models.FloatField(default=0.5, validators=_SCORE)
    score_max_threshold = models.FloatField(default=1.0, validators=_SCORE)
    error_on_invalid_score = models.BooleanField(default=True)
    """Whether a score outside of the thresholds stops the visitor. An answer that is not good always does."""

    def clean(self) -> None:
        if self.score_min_threshold > self.score_max_threshold:
            raise ValidationError({"score_max_threshold": [_("This is less than the lowest score.")]})

    @property
    def private_key(self) -> str:
        """Raises vault.Unreadable."""
        return vault.unseal(self.sealed_private_key, self.place())

    @private_key.setter
    def private_key(self, key: str) -> None:
        self.sealed_private_key = vault.seal(key, self.place())

    def place(self) -> str:
        """What the key is sealed to."""
        return f"stages.captchastage.sealed_private_key:{self.id}"


def _parts(url: str) -> tuple[str, str]:
    """Host and scheme. Raises ValidationError for what has no host, or has a user in it."""
    try:
        parts = urlsplit(url)
        if not parts.hostname or parts.username is not None or parts.port == 0:
            raise ValueError(url)
    except ValueError as error:
        raise ValidationError(_("This is no URL.")) from error
    return parts.hostname, parts.scheme


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
