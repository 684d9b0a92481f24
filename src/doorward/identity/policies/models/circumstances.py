"""Policies by when and from where somebody asks, and what is kept for them."""

from __future__ import annotations

import ipaddress
import uuid
import zoneinfo
from datetime import UTC, time, tzinfo

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from doorward.identity.directory.models import User
from doorward.identity.policies.models.base import Policy


def require_network(text: object, field: str) -> None:
    """Raises ValidationError for what is neither an address nor a network."""
    try:
        ipaddress.ip_network(str(text), strict=False)
    except ValueError as error:
        raise ValidationError(
            {field: [_("“%(text)s” is no address and no network; write 192.0.2.0/24.") % {"text": text}]}
        ) from error


class NetworkPolicy(Policy):
    """Passes for requests from these networks."""

    KIND = "network"

    networks = models.JSONField(default=list)
    """``192.0.2.0/24``, ``2001:db8::/32``, or single addresses."""

    def clean(self) -> None:
        if not isinstance(self.networks, list) or not self.networks:
            raise ValidationError({"networks": [_("Name at least one network, such as 192.0.2.0/24.")]})
        for network in self.networks:
            require_network(network, "networks")


def zone_of(name: str) -> tzinfo:
    """Raises KeyError, OSError or ValueError for what is no zone. UTC needs no time zone data."""
    return UTC if name == "UTC" else zoneinfo.ZoneInfo(name)


class TimeWindowPolicy(Policy):
    """Passes on some days of the week, between two times of the day."""

    KIND = "timewindow"

    days = models.JSONField(default=list)
    """0 is Monday. A window over midnight belongs to the day on which it begins."""
    start = models.TimeField(default=time(8))
    end = models.TimeField(default=time(18))
    """Not included. The same as ``start``: the whole day."""
    timezone = models.CharField(max_length=64, default="UTC")
    """Of the IANA database: ``Europe/Berlin``."""

    def clean(self) -> None:
        if not isinstance(self.days, list) or not self.days or not all(day in range(7) for day in self.days):
            raise ValidationError({"days": [_("Choose at least one day, from 0 (Monday) to 6 (Sunday).")]})
        try:
            zone_of(self.timezone)
        except (OSError, ValueError, KeyError) as unknown:
            raise ValidationError({"timezone": [_("No time zone is called so; one is Europe/Berlin.")]}) from unknown


class GeoIPPolicy(Policy):
    """Passes by where on earth, or in which network, an address is (section 5.2); judged by ``geography``."""

    KIND = "geoip"

    asns = models.JSONField(default=list, blank=True)
    """Numbers of autonomous systems."""
    countries = models.JSONField(default=list, blank=True)
    """Two letters each."""
    check_history_distance = models.BooleanField(default=False)
    history_max_distance_km = models.PositiveBigIntegerField(default=100)
    distance_tolerance_km = models.PositiveIntegerField(default=50)
    history_login_count = models.PositiveIntegerField(default=5)
    check_impossible_travel = models.BooleanField(default=False)
    impossible_tolerance_km = models.PositiveIntegerField(default=100)

    def clean(self) -> None:
        countries = self.countries if isinstance(self.countries, list) else [None]
        if not all(isinstance(each, str) and len(each) == 2 and each.isalpha() for each in countries):
            raise ValidationError({"countries": [_("Two letters for each country, such as DE.")]})
        self.countries = [each.upper() for each in countries if isinstance(each, str)]
        if not isinstance(self.asns, list) or not all(type(each) is int and 0 < each < 2**32 for each in self.asns):
            raise ValidationError({"asns": [_("Numbers of autonomous systems, such as 64496.")]})
        if not (self.asns or self.countries or self.check_history_distance or self.check_impossible_travel):
            raise ValidationError({"countries": [_("Say what is looked at: countries, networks, or earlier logins.")]})


class PastLogin(models.Model):
    """From where a user has logged in; the latest few, kept while there are databases of places."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="past_logins")
    ip = models.GenericIPAddressField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]


class ReputationPolicy(Policy):
    """Passes for whoever has a *bad* reputation, so that a captcha or a refusal can be bound to it (section 5.2)."""

    KIND = "reputation"

    check_ip = models.BooleanField(default=True)
    check_username = models.BooleanField(default=True)
    threshold = models.IntegerField(default=-5)
    """It passes at this score and below."""

    def clean(self) -> None:
        if not self.check_ip and not self.check_username:
            raise ValidationError({"check_ip": [_("Look at the address, the user name, or both.")]})


class Reputation(models.Model):
    """What one address has earned with one name: failed logins lower it, successful ones raise it (``reputation``)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    identifier = models.CharField(max_length=150)
    """User name, or what was typed where nobody has that name; folded. Empty where nobody was named."""
    ip = models.GenericIPAddressField()
    """The address; of IPv6, the first 64 bits."""
    score = models.IntegerField(default=0)
    updated = models.DateTimeField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["score", "-updated"]
        constraints = [models.UniqueConstraint(fields=["identifier", "ip"], name="one_reputation_per_name_and_address")]

    def __str__(self) -> str:
        return f"{self.identifier} at {self.ip}"
