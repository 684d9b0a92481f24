"""The settings of the installation that administrators change while it runs (``contracts/identity.md`` section 12)."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext as _

from doorward.identity import durations

SHORTEST_RETENTION = timedelta(hours=1)


def require_retention(text: str) -> None:
    """Raise ValidationError unless ``text`` is a duration of at least an hour."""
    if durations.parse(text) < SHORTEST_RETENTION:
        raise ValidationError(_("Events are kept for an hour at least"), "invalid")


def require_retentions(by_action: object) -> None:
    """Raise ValidationError unless it is an object of actions and durations."""
    if not isinstance(by_action, dict) or len(by_action) > 100:
        raise ValidationError(
            _("An object of actions and durations is needed, such as {“login”: “days=90”}"), "invalid"
        )
    for text in by_action.values():
        require_retention(str(text))


def require_footer_links(links: object) -> None:
    """Raise ValidationError unless it is a list of objects with ``name`` and perhaps ``href``, http or https."""
    fits = isinstance(links, list) and len(links) <= 20 and all(_is_link(link) for link in links)
    if not fits:
        raise ValidationError(
            _("A list of links is needed, such as [{“name”: “Imprint”, “href”: “https://…”}]"), "invalid"
        )


def _is_link(link: object) -> bool:
    if not isinstance(link, dict) or not isinstance(link.get("name"), str) or not link["name"].strip():
        return False
    address = link.get("href") or ""
    return isinstance(address, str) and (not address or address.startswith(("https://", "http://")))


class SystemSettings(models.Model):
    """One row; without it, everything is as its default says."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    event_retention = models.CharField(max_length=128, default="days=365", validators=[require_retention])
    """How long events are kept that happen from now on."""
    event_retention_by_action = models.JSONField(default=dict, blank=True, validators=[require_retentions])
    """Action → duration, where it is another one."""
    impersonation = models.BooleanField(default=True)
    """Whether administrators may act as other users."""
    impersonation_require_reason = models.BooleanField(default=True)
    footer_links = models.JSONField(default=list, blank=True, validators=[require_footer_links])
    default_token_duration = models.CharField(max_length=128, default="days=1", validators=[durations.require])
    """Of tokens whose maker does not say how long they are good."""
    pagination_default_page_size = models.PositiveSmallIntegerField(
        default=20, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    pagination_max_page_size = models.PositiveSmallIntegerField(
        default=100, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )

    def __str__(self) -> str:
        return "System settings"

    def clean(self) -> None:
        if self.pagination_default_page_size > self.pagination_max_page_size:
            raise ValidationError(
                {"pagination_default_page_size": _("No page is larger than the largest one.")}, code="invalid"
            )

    def retention_of(self, action: str) -> timedelta:
        """How long an event of ``action`` is kept."""
        text = self.event_retention_by_action.get(action, self.event_retention)
        return durations.parse(str(text))
