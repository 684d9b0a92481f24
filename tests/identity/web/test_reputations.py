"""The page about who failed to log in."""

from __future__ import annotations

import pytest
from django.test import Client

from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.policies import reputation
from doorward.identity.policies.models import Reputation
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db


def test_the_worst_first_and_forgiven(admin: Visitor, bob: User) -> None:
    """Found by name and address; forgetting one is an event."""
    for times, name in ((1, "somebody"), (3, '"><img src=x onerror=alert(1)>')):  # S-530
        for _ in range(times):
            reputation.failed(None, name, "192.0.2.7")
    text = admin.open("/if/admin/reputation/")
    assert text.index("-3") < text.index("somebody")
    assert "<img src=x" not in admin.raw
    assert "somebody" not in admin.open("/if/admin/reputation/?q=198.51")
    assert "somebody" in admin.open("/if/admin/reputation/?q=192.0.2")

    row = Reputation.objects.get(identifier="somebody")
    assert "Forgiven." in admin.succeed(f"/if/admin/reputation/{row.pk}/forgive/", at="/if/admin/reputation/")
    assert not Reputation.objects.filter(pk=row.pk).exists()
    assert Event.objects.filter(action="model_deleted", context__model__model_name="reputation").exists()


def test_nobody(admin: Visitor) -> None:
    """Says what would stand there."""
    Reputation.objects.all().delete()
    assert "Nobody stands out" in admin.open("/if/admin/reputation/")


def test_only_by_a_form(client: Client, admin: Visitor) -> None:
    """Opening the address forgives nothing."""
    reputation.failed(None, "x", "192.0.2.7")
    row = Reputation.objects.get(identifier="x")
    assert client.get(f"/if/admin/reputation/{row.pk}/forgive/").status_code == 405
