"""The library: what one may open, and the way there."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from doorward.identity.applications.actions import create_application, update_application
from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.policies.actions import bind, create_policy
from doorward.identity.policies.models import ExpressionPolicy
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def test_the_start_leads_to_the_library(visiting_bob: Visitor) -> None:
    """Whoever is logged in has nothing to do at the root."""
    assert visiting_bob.get("/")["Location"] == "/if/user/"


def test_it_shows_what_one_may_enter_and_nothing_else(visiting_bob: Visitor, whoami: Application) -> None:
    """Bob is staff: he sees whoami, not what is bound to others."""
    closed = create_application(SYSTEM, name="Payroll", slug="payroll", meta_launch_url="https://pay.example.test/")
    bind(SYSTEM, closed, group=Group.objects.create(name="finance"))

    text = visiting_bob.open("/if/user/")

    assert '/application/launch/whoami/"' in text
    assert "Payroll" not in text


def test_applications_stand_under_their_headings(visiting_bob: Visitor, whoami: Application) -> None:
    """Those without one come first, as “Other” only where there are headings."""
    assert "Other" not in visiting_bob.open("/if/user/")
    create_application(
        SYSTEM, name="Wiki", slug="wiki", group="Knowledge", meta_launch_url="https://wiki.example.test/"
    )

    text = visiting_bob.open("/if/user/")

    assert text.index("Other") < text.index("whoami") < text.index("Knowledge") < text.index("Wiki")


def test_the_search_looks_at_names_and_descriptions(visiting_bob: Visitor, whoami: Application) -> None:
    """Every word must be found; what does not fit is said, with a way back."""
    update_application(SYSTEM, whoami, meta_description="Shows the request")

    assert "launch/whoami" in visiting_bob.open("/if/user/?q=REQUEST+who")
    assert "launch/whoami" not in visiting_bob.open("/if/user/?q=request+wiki")
    assert "Nothing found" in visiting_bob.text


def test_an_empty_library_tells_what_to_do(visiting_bob: Visitor, admin: Visitor) -> None:
    """Users learn whom to wait for, administrators where to begin."""
    assert "When an administrator lets you" in visiting_bob.open("/if/user/")
    assert "/if/admin/" not in visiting_bob.text
    assert "/if/admin/protect/" in admin.open("/if/user/")
    assert "Administration" in admin.text


def test_launching_asks_the_policy_first(visiting_bob: Visitor, whoami: Application, staff: Group, bob: User) -> None:
    """302 to the application while bob may enter it, and a page that says no as soon as he may not."""
    assert visiting_bob.get("/application/launch/whoami/")["Location"] == "https://app.example.test"
    bob.groups.clear()

    refused = visiting_bob.get("/application/launch/whoami/")

    assert refused.status_code == 403
    assert "You may not open whoami" in visiting_bob.text
    assert "not a member" not in visiting_bob.text


def test_an_administrator_reads_why(admin: Visitor, whoami: Application) -> None:
    """Superusers are not exempt, but they are told the reason."""
    assert admin.get("/application/launch/whoami/").status_code == 403
    assert "akadmin is not a member of the group “staff”" in admin.text


def test_a_policy_says_why_to_whoever_it_keeps_out(visiting_bob: Visitor, whoami: Application) -> None:
    """Its own sentence instead of ours; escaped."""
    rule = 'ak_message("Only in the <office>.")\nreturn False'
    policy = create_policy(SYSTEM, ExpressionPolicy, name="office", expression=rule)
    update_application(SYSTEM, whoami, policy_engine_mode="all")
    bind(SYSTEM, whoami, policy=policy)

    refused = visiting_bob.get("/application/launch/whoami/").content.decode()

    assert "Only in the &lt;office&gt;." in refused
    assert "Your account is not among" not in refused
    assert "The policy" not in refused


def test_what_leads_nowhere_is_not_found(visiting_bob: Visitor) -> None:
    """An application without any address, and one that does not exist."""
    create_application(SYSTEM, name="Nowhere", slug="nowhere")

    assert visiting_bob.get("/application/launch/nowhere/").status_code == 404
    assert visiting_bob.get("/application/launch/no-such/").status_code == 404


def test_policies_cost_the_library_no_question_each(
    visiting_bob: Visitor, whoami: Application, django_assert_num_queries: Any
) -> None:
    """Eight more applications with a policy each are read with the same queries."""
    policy = create_policy(SYSTEM, ExpressionPolicy, name="yes", expression="return user.username == 'bob'")
    bind(SYSTEM, whoami, policy=policy)
    with CaptureQueriesContext(connection) as before:
        visiting_bob.open("/if/user/")
    for number in range(8):
        more = create_application(SYSTEM, name=f"App {number}", slug=f"app-{number}")
        bind(SYSTEM, more, policy=create_policy(SYSTEM, ExpressionPolicy, name=f"{number}", expression="return True"))

    with django_assert_num_queries(len(before)):
        visiting_bob.open("/if/user/")
