"""Applications: where they lead, and who sees them."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.applications import actions
from doorward.identity.applications.launch import launch_url
from doorward.identity.applications.models import Application
from doorward.identity.applications.queries import accessible, library
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.policies.actions import bind

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def create(slug: str = "wiki", **fields: object) -> Application:
    given: dict[str, object] = {"name": slug.title(), "meta_launch_url": "https://launch.example.test/", **fields}
    return actions.create_application(SYSTEM, slug=slug, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("slug", ["authorize", "token", "userinfo", "revoke", "not a slug", "ä", ""])
def test_slugs_that_cannot_be(slug: str) -> None:
    """Neither the paths beside the applications nor what is no slug."""
    with pytest.raises(ValidationError) as refusal:
        create(slug)

    assert "slug" in refusal.value.message_dict


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.test", "https://", "/path"])
def test_links_are_web_links(url: str) -> None:
    """Nothing else becomes a link in somebody's library."""  # S-530
    with pytest.raises(ValidationError):
        create(meta_launch_url=url)


def test_a_launch_url_is_filled_in_and_quoted(bob: User) -> None:
    """The user's values, as data: nothing in them changes where the link leads."""  # S-531
    application = create(meta_launch_url="https://wiki.example.test/?u=%(username)s&m=%(email)s&x=%(password)s")
    bob.username = "b/o&b=1"

    assert launch_url(application, bob) == (
        "https://wiki.example.test/?u=b%2Fo%26b%3D1&m=bob%40example.test&x=%(password)s"
    )


def test_the_host_of_a_launch_url_can_be_the_users(bob: User) -> None:
    """A template in the host works; a value that makes no host gives no link."""
    application = create(meta_launch_url="https://%(username)s.example.test/")

    assert launch_url(application, bob) == "https://bob.example.test/"


def test_without_a_launch_url_the_provider_knows(whoami: Application, bob: User) -> None:
    """A protected application leads to its outside URL."""
    assert launch_url(whoami, bob) == "https://app.example.test"
    assert launch_url(create(meta_launch_url=""), bob) is None


def test_the_library_shows_what_one_may_enter(bob: User, mallory: User, staff: Group) -> None:
    """Restricted, hidden and tile-less applications are not shown to who cannot or need not see them."""
    open_to_all = create("wiki")
    restricted = create("payroll")
    bind(SYSTEM, restricted, group=staff)
    create("hidden", meta_hide=True)
    create("tileless", meta_launch_url="blank://blank")

    assert library(bob) == [restricted, open_to_all]
    assert library(mallory) == [open_to_all]
    assert len(accessible(mallory)) == 3


def test_the_library_asks_the_database_a_bounded_number_of_questions(
    bob: User, staff: Group, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    """Thirty applications cost no more queries than three."""
    for number in range(30):
        bind(SYSTEM, create(f"app{number}"), group=staff)

    with django_assert_max_num_queries(8):  # type: ignore[operator]
        assert len(library(bob)) == 30


def test_changes_are_events(akadmin: User) -> None:
    """Creating, changing and deleting an application is told with its name."""  # S-619
    actor = Actor(akadmin, None, "")
    application = actions.create_application(actor, name="Wiki", slug="wiki")
    actions.update_application(actor, application, name="Wiki 2")
    actions.delete_application(actor, application)

    kinds = Event.objects.filter(context__model__model_name="application").order_by("created")
    assert [event.action for event in kinds] == ["model_created", "model_updated", "model_deleted"]
    assert all(event.app == "authentik.core" for event in kinds)
