"""Access on request, on its pages and through the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from doorward.identity.access_requests import actions
from doorward.identity.access_requests.models import AccessOffer, AccessRequest
from doorward.identity.applications.models import Application
from doorward.identity.directory.actions import create_user
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.logins.models import LoginSession
from identity.api.conftest import Api, key_for
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


@pytest.fixture
def owner(flows: None, password: str) -> User:
    return create_user(SYSTEM, username="owner", password=password)


@pytest.fixture
def offer(whoami: Application, owner: User, staff: Group) -> AccessOffer:
    return actions.set_offer(SYSTEM, whoami, enabled=True, longest="days=7", approver_users=[owner], approver_groups=[])


def tomorrow() -> str:
    return (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")


def test_from_the_page_that_says_no_to_the_application(
    offer: AccessOffer, owner: User, mallory: User, password: str
) -> None:
    """Turned away, asked, answered, let in."""
    slug = offer.application.slug
    visitor, decider = Visitor("mallory", password), Visitor("owner", password)
    assert visitor.get(f"/application/launch/{slug}/").status_code == 403
    assert f"/if/user/new/request/{slug}/" in visitor.text
    assert "What you can ask for" in visitor.open("/if/user/")
    text = visitor.succeed(f"/if/user/new/request/{slug}/", reason="The audit", until=tomorrow())
    assert "Not answered yet" in text

    assert "The audit" in decider.open("/if/user/requests/")
    asked = AccessRequest.objects.get()
    assert "Give access" in decider.open(f"/if/user/requests/{asked.pk}/")
    assert "Access is given" in decider.succeed(f"/if/user/requests/{asked.pk}/", do="approve", answer="Fine.")

    assert visitor.get(f"/application/launch/{slug}/").status_code == 302
    assert "Fine." in visitor.open(f"/if/user/requests/{asked.pk}/")
    assert "Shorten or end" in decider.open("/if/user/requests/")


def test_a_request_is_nobody_elses(offer: AccessOffer, mallory: User, bob: User, password: str) -> None:
    """404 for whoever neither asked nor decides."""  # S-602
    asked = actions.ask(SYSTEM, offer.application, mallory, reason="x", until=timezone.now() + timedelta(days=1))

    assert Visitor("bob", password).get(f"/if/user/requests/{asked.pk}/").status_code == 404
    visitor = Visitor("mallory", password)
    assert visitor.send(f"/if/user/requests/{asked.pk}/", do="approve").status_code == 403
    asked.refresh_from_db()
    assert asked.status == "pending"


def test_a_decision_is_for_somebody_who_has_just_logged_in(
    offer: AccessOffer, owner: User, mallory: User, password: str
) -> None:
    """An old login is asked to log in first, and decides nothing."""
    asked = actions.ask(SYSTEM, offer.application, mallory, reason="x", until=timezone.now() + timedelta(days=1))
    decider = Visitor("owner", password)
    LoginSession.objects.filter(user=owner).update(authenticated_at=timezone.now() - timedelta(hours=1))

    answer = decider.send(f"/if/user/requests/{asked.pk}/", do="approve")

    assert answer.status_code == 302
    asked.refresh_from_db()
    assert asked.status == "pending"


def test_an_administrator_lets_it_be_asked_for(admin: Visitor, whoami: Application, owner: User) -> None:
    """On the application's page, with who decides."""
    page = f"/if/admin/applications/{whoami.slug}/requests/"
    admin.succeed(page, enabled="on", longest="days=3", approver_users="owner")

    assert "Others can ask for access." in admin.text
    assert admin.send(page, enabled="on", longest="days=3", approver_users="").status_code == 400
    assert admin.send(page, enabled="on", longest="soon", approver_users="owner").status_code == 400


def test_the_api(offer: AccessOffer, owner: User, mallory: User, bob: User, akadmin: User) -> None:
    """Ask, decide, end; each as whoever may."""
    admin_api = Api(key_for(akadmin))
    theirs, deciders, others = Api(key_for(mallory)), Api(key_for(owner)), Api(key_for(bob))
    body: dict[str, Any] = {"application": offer.application.slug, "reason": "x", "until": tomorrow() + ":00Z"}
    made: Any = theirs.call("POST", "doorward/access_requests/", body)
    assert made.status_code == 201, made.content
    one = f"doorward/access_requests/{made.json()['pk']}/"
    assert theirs.call("POST", f"{one}approve/", {}).status_code == 403
    assert others.call("POST", f"{one}approve/", {}).status_code == 404
    assert others.call("GET", one).status_code == 404

    given: Any = deciders.call("POST", f"{one}approve/", {"answer": "yes"})
    assert given.json()["live"]
    assert deciders.call("POST", f"{one}deny/", {}).status_code == 409
    earlier = (timezone.now() + timedelta(hours=1)).isoformat()
    assert deciders.call("POST", f"{one}shorten/", {"until": earlier}).status_code == 200
    assert theirs.call("POST", f"{one}revoke/", {}).json()["status"] == "revoked"  # type: ignore[attr-defined]
    assert admin_api.call("GET", "doorward/access_requests/?status=revoked").json()["pagination"]["count"] == 1  # type: ignore[attr-defined]

    assert theirs.call("GET", "doorward/access_offers/").status_code == 403
    changed: Any = admin_api.call("PATCH", f"doorward/access_offers/{offer.application.slug}/", {"enabled": False})
    assert changed.json()["enabled"] is False
    assert theirs.call("POST", "doorward/access_requests/", body).status_code == 404
