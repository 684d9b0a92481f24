"""S-530, S-531: whatever people put into names is shown as text, wherever it appears."""

from __future__ import annotations

import pytest
from django.urls import reverse

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow
from doorward.identity.logins.models import LoginSession
from doorward.identity.outposts import queries
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
EVIL = '"><img src=x onerror=alert(1)>{{7*7}}${7*7}'
AS_TEXT = "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;{{7*7}}${7*7}"


@pytest.fixture
def poisoned(whoami: Application, akadmin: User, admin: Visitor) -> None:
    """Every text that a page shows, as an attacker would have it."""
    assert whoami.provider is not None
    actor = Actor(akadmin, "192.0.2.1", "0" * 32, "POST", f"/{EVIL}", EVIL)
    events.record("login_failed", EVIL, actor, username=EVIL, message=EVIL, diff={EVIL: EVIL})
    evil = {"name": EVIL, "group": EVIL, "meta_description": EVIL, "meta_publisher": EVIL, "meta_icon": f"/{EVIL}"}
    Application.objects.update(**evil)
    type(whoami.provider).objects.update(name=EVIL)
    User.objects.update(name=EVIL)
    Group.objects.filter(name="staff").update(name=EVIL)
    Flow.objects.update(name=EVIL, title=EVIL)
    LoginSession.objects.update(last_user_agent=EVIL)
    whoami.bindings.all().delete()


@pytest.mark.parametrize(
    "path",
    [
        "/if/user/",
        "/if/user/account/",
        "/if/admin/",
        "/if/admin/protect/",
        "/if/admin/protect/whoami/",
        "/if/admin/applications/",
        "/if/admin/applications/whoami/",
        "/if/admin/applications/whoami/edit/",
        "/if/admin/applications/whoami/delete/",
        "/if/admin/providers/",
        "/if/admin/outposts/",
        "/if/admin/users/",
        "/if/admin/groups/",
        "/if/admin/flows/",
        "/if/admin/flows/default-authentication-flow/",
        "/if/admin/events/",
    ],
)
def test_pages(poisoned: None, admin: Visitor, path: str) -> None:
    """Escaped, not run, not filled in."""
    admin.open(path)

    assert "<img src=x" not in admin.raw
    assert "49" not in admin.text.partition("<main")[2] or "{{7*7}}" in admin.text
    assert AS_TEXT in admin.raw or path in {"/if/user/account/"}


def test_detail_pages(poisoned: None, admin: Visitor, whoami: Application, akadmin: User) -> None:
    """User, group, provider, outpost, event."""
    event = Event.objects.get(action="login_failed")
    for path in (
        reverse("admin-user", args=[akadmin.pk]),
        reverse("admin-group", args=[Group.objects.get(name=EVIL).pk]),
        reverse("admin-provider", args=[whoami.provider_id]),
        reverse("admin-outpost", args=[queries.embedded().pk]),
        reverse("admin-event", args=[event.pk]),
    ):
        admin.open(path)
        assert "<img src=x" not in admin.raw
        assert AS_TEXT in admin.raw


def test_a_stored_launch_url_that_is_no_web_address_is_no_link(admin: Visitor, whoami: Application) -> None:
    """Even if somebody had put it into the database."""
    Application.objects.update(meta_launch_url="javascript:alert(1)")
    whoami.bindings.all().delete()

    for path in ("/if/user/", "/if/admin/applications/whoami/"):
        assert 'href="javascript:' not in admin.open(path)
    assert admin.get("/application/launch/whoami/").status_code == 404


def test_a_search_comes_back_as_text(admin: Visitor) -> None:
    """In the input and in the sentence."""
    admin.open("/if/admin/applications/?q=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E")

    assert "<img src=x" not in admin.raw
