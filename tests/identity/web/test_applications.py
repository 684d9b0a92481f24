"""Applications on their pages: made, changed, deleted, and who may enter."""

from __future__ import annotations

import pytest
from django.urls import reverse

from doorward.identity.applications.models import Application, Provider
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.logins.models import LoginSession
from doorward.identity.outposts.models import StoredSession
from doorward.identity.policies.actions import bind, create_policy
from doorward.identity.policies.models import ExpressionPolicy
from doorward.identity.policies.queries import verdict
from identity import proxied
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
PAGE = "/if/admin/applications/whoami/"
NEW = "/if/admin/new/application/"


def happened(action: str, model: str) -> list[str]:
    """Names of the objects of this kind to which this happened, by akadmin."""
    events = Event.objects.filter(action=action, context__model__model_name=model, user__username="akadmin")
    return [event.context["model"]["name"] for event in events]


def test_the_list_finds_by_name_slug_and_heading(admin: Visitor, whoami: Application) -> None:
    """And says so where nothing fits."""
    for query in ("", "WHO", "oami"):
        assert PAGE in admin.open(f"/if/admin/applications/?q={query}")
    assert PAGE not in admin.open("/if/admin/applications/?q=wiki")
    assert "Nothing found" in admin.text


def test_a_long_list_has_pages(admin: Visitor, flows: None) -> None:
    """Twenty-five at a time; any page number leads to one that exists, and the search is kept."""
    for number in range(30):
        Application.objects.create(name=f"App {number:02}", slug=f"app-{number:02}")

    first = admin.open("/if/admin/applications/?q=app")
    assert "App 24" in first
    assert "App 25" not in first
    assert "?q=app&page=2" in first
    assert "App 29" in admin.open("/if/admin/applications/?q=app&page=999")
    assert "App 00" in admin.open("/if/admin/applications/?page=nonsense")


@pytest.mark.parametrize("query", ["%25", "_", "%27%20OR%201=1--", "%00", "%ED%A0%80", "x" * 5000])
def test_a_search_is_only_a_search(admin: Visitor, whoami: Application, query: str) -> None:
    """No wildcard, no SQL, no failure."""  # S-607
    found = PAGE in admin.open(f"/if/admin/applications/?q={query}")

    assert found is (query == "%00")  # of which nothing is left to search for


def test_create_an_application(admin: Visitor, flows: None) -> None:
    """Only a name is needed; it is an event, and the page of the new one follows."""
    text = admin.succeed(NEW, name="Intranet", meta_launch_url="https://intra.example.test/", policy_engine_mode="any")

    assert "The application “Intranet” is created." in text
    assert happened("model_created", "application") == ["Intranet"]
    assert Application.objects.get().slug == "intranet"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"name": ""}, "This field is required."),
        ({"slug": "whoami"}, "already exists"),
        ({"slug": "two words"}, "letters, numbers, underscores or hyphens"),
        ({"meta_launch_url": "javascript:alert(1)"}, "An http:// or https:// URL."),  # S-530
        ({"provider": "99999"}, "Select a valid choice"),
        ({"name": "a\u202eb"}, "The character U+202E is not allowed here."),
    ],
)
def test_what_cannot_be_created_says_why(
    admin: Visitor, whoami: Application, fields: dict[str, str], text: str
) -> None:
    """400, at the field."""
    answer = admin.send(NEW, **{"name": "Intranet", "policy_engine_mode": "any", **fields})

    assert answer.status_code == 400
    assert text in admin.text
    assert Application.objects.count() == 1


def test_a_provider_that_serves_another_cannot_be_chosen(admin: Visitor, whoami: Application) -> None:
    """One provider, one application."""
    answer = admin.send(NEW, name="Second", policy_engine_mode="any", provider=whoami.provider_id)

    assert answer.status_code == 400
    assert "Select a valid choice" in admin.text


def test_change_an_application(admin: Visitor, whoami: Application) -> None:
    """Old and new values are in the event."""
    text = admin.succeed(
        f"{PAGE}edit/",
        name="Who am I",
        slug="whoami",
        provider=whoami.provider_id,
        group="Demo",
        policy_engine_mode="all",
    )

    assert "Saved, and in force." in text
    changed = Event.objects.get(action="model_updated", context__model__model_name="application")
    assert changed.context["diff"]["name"] == {"previous_value": "whoami", "new_value": "Who am I"}
    assert changed.context["diff"]["policy_engine_mode"]["new_value"] == "all"


def test_a_refused_change_names_the_page_after_what_is_stored(admin: Visitor, whoami: Application) -> None:
    """One knows what one was about to change."""
    answer = admin.send(f"{PAGE}edit/", name="x\u202e", slug="whoami", policy_engine_mode="any")

    assert answer.status_code == 400
    assert "<h1>Edit whoami</h1>" in admin.text


def test_deleting_says_what_else_goes(admin: Visitor, whoami: Application, bob: User) -> None:
    """Logins, the list of who may enter; the provider if one wants."""
    session = proxied.enter(proxied.log_in(bob), whoami)
    question = admin.open(f"{PAGE}delete/")
    assert "Its list of who may enter (1 entry) is gone." in question
    assert "Delete its provider “Provider for whoami” too" in question

    admin.succeed(f"{PAGE}delete/", with_provider="on")

    assert not Application.objects.exists()
    assert not Provider.objects.exists()
    assert not StoredSession.objects.exists()
    assert not proxied.is_known(session)
    assert happened("model_deleted", "application") == ["whoami"]


def test_the_provider_may_stay(admin: Visitor, whoami: Application) -> None:
    """For another application."""
    admin.succeed(f"{PAGE}delete/")

    assert Provider.objects.filter(application__isnull=True).count() == 1


def test_let_a_group_or_a_user_in(admin: Visitor, whoami: Application, mallory: User) -> None:
    """From this moment on."""
    friends = Group.objects.create(name="friends")
    admin.succeed(f"{PAGE}bindings/", at=PAGE, group=friends.pk)
    admin.succeed(f"{PAGE}bindings/", at=PAGE, user="MALLORY")

    assert verdict(whoami, mallory).passing
    assert [binding.order for binding in whoami.bindings.all()] == [0, 1, 2]
    assert happened("model_created", "policybinding") == ["mallory", "friends"]


@pytest.mark.parametrize("fields", [{}, {"group": "both", "user": "bob"}, {"user": "nobody"}, {"group": "nonsense"}])
def test_exactly_one_must_be_named(admin: Visitor, whoami: Application, staff: Group, fields: dict[str, str]) -> None:
    """Anything else is 400 on the application's own page."""
    if fields.get("group") == "both":
        fields = {**fields, "group": str(staff.pk)}

    answer = admin.send(f"{PAGE}bindings/", at=PAGE, **fields)

    assert answer.status_code == 400
    assert "<h1>whoami</h1>" in admin.text
    assert whoami.bindings.count() == 1


def test_removing_the_last_entry_warns(admin: Visitor, whoami: Application, mallory: User) -> None:
    """Because then everybody may enter."""
    binding = whoami.bindings.get()
    address = reverse("admin-binding-remove", args=["whoami", binding.pk])
    assert "without it everybody who has an account here may enter" in admin.open(address)

    admin.succeed(address)

    assert verdict(whoami, mallory).passing
    assert happened("model_deleted", "policybinding") == ["staff"]


def test_removing_an_entry_throws_out(admin: Visitor, whoami: Application, bob: User) -> None:
    """Who may not enter without it has no session any more."""
    admin.succeed(f"{PAGE}bindings/", at=PAGE, user="akadmin")
    session = proxied.enter(proxied.log_in(bob), whoami)
    staffs = whoami.bindings.get(group__isnull=False)

    admin.succeed(reverse("admin-binding-remove", args=["whoami", staffs.pk]))

    assert not proxied.is_known(session)
    assert LoginSession.objects.filter(user=bob).exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bob", "Yes, bob may enter."),
        ("mallory", "mallory is not a member of the group “staff”"),
        ("nobody", "There is no user “nobody”."),
        ("", "This field is required."),
    ],
)
def test_may_this_user_enter(
    admin: Visitor, whoami: Application, bob: User, mallory: User, name: str, text: str
) -> None:
    """Yes; or no, and why not."""
    assert text in admin.open(f"{PAGE}?check={name}")


def test_a_policy_among_those_who_may_enter(admin: Visitor, whoami: Application) -> None:
    """Shown by name on the page, and removed there."""
    policy = create_policy(Actor.system(), ExpressionPolicy, name="office hours", expression="return True")
    binding = bind(Actor.system(), whoami, policy=policy)

    assert ">office hours</a>" in admin.open(PAGE)
    admin.succeed(f"{PAGE}bindings/{binding.pk}/remove/")
    assert not whoami.bindings.filter(policy=policy).exists()


def test_what_nothing_is_chosen_is_called_in_the_readers_language(admin: Visitor, whoami: Application) -> None:
    """Selects too: what stands in them before anything is chosen is no name of an object."""
    admin.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    admin.open("/if/admin/applications/whoami/")

    assert "Gruppe wählen" in admin.raw
    assert "Choose a" not in admin.raw
