"""Logging out, and the page after leaving an application."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.flows import entrance
from doorward.identity.flows.entrance import PlanContext
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.logins.session_store import SessionStore
from doorward.identity.stages.models import UserLogoutStage
from identity.flow_tab import LOGIN, Tab

pytestmark = pytest.mark.django_db

LOGOUT = "/if/flow/default-invalidation-flow/"


@pytest.fixture
def as_bob(client: Client, flows: None, bob: User, password: str) -> Client:
    Tab(client).log_in("bob", password)
    return client


def is_logged_in(client: Client) -> bool:
    return client.get(LOGIN).status_code == 302


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
def test_from_our_own_pages_or_the_address_bar_it_happens_at_once(as_bob: Client, headers: dict[str, str]) -> None:
    """One click; the session is gone and an event says so."""
    answer = as_bob.get(LOGOUT, headers=headers)

    assert answer["Location"] == "/"
    assert not is_logged_in(as_bob)
    assert Event.objects.get(action="logout").user["username"] == "bob"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "https://evil.test/"},
        {"Sec-Fetch-Site": "none", "Sec-Purpose": "prefetch"},
    ],
)
def test_from_another_site_it_asks_first(as_bob: Client, headers: dict[str, str]) -> None:
    """No link elsewhere logs people out; a button does."""  # S-528
    page = as_bob.get(LOGOUT, headers=headers)
    assert "Log out of Doorward?" in page.content.decode()
    assert is_logged_in(as_bob)

    step = Tab.__new__(Tab)
    step.text = page.content.decode()
    answer = as_bob.post(LOGOUT, {"step": step.hidden("step")})

    assert answer.status_code == 303
    assert not is_logged_in(as_bob)


def test_a_destination_is_kept(as_bob: Client) -> None:
    """Log out, then on to there."""
    assert as_bob.get(f"{LOGOUT}?next=/if/user/")["Location"] == "/if/user/"


def leave(client: Client, user: User, *, ends_login: bool = False) -> Tab:
    """What the end-session endpoint of an application does."""
    application = Application.objects.create(name="whoami", slug="whoami", meta_launch_url="https://whoami.test/")
    flow = Flow.objects.get(slug="default-provider-invalidation-flow")
    if ends_login:
        FlowStageBinding.objects.create(flow=flow, stage=UserLogoutStage.objects.get(), order=0)
    request = RequestFactory().get("/")
    request.session = SessionStore(client.cookies["__Host-doorward_login"].value)
    request.user = user
    context = PlanContext(application=application, confirmed=True)
    answer = entrance.start(request, flow, next_url="/application/o/whoami/end-session/", context=context)
    request.session.save()
    return Tab(client, answer["Location"])


def test_leaving_an_application_says_what_else_is_open(as_bob: Client, bob: User) -> None:
    """The application's name, a way back into it, to the others, and out of everything."""
    tab = leave(as_bob, bob)

    assert "You've logged out of whoami." in tab.text
    assert 'href="https://whoami.test/"' in tab.text
    assert "Log out of Doorward" in tab.text
    assert 'href="/flows/-/default/invalidation/"' in tab.text
    assert is_logged_in(as_bob)


def test_leaving_an_application_whose_flow_ends_the_login(as_bob: Client, bob: User) -> None:
    """There is nothing left to log out of, and the page says so."""
    tab = leave(as_bob, bob, ends_login=True)

    assert "logged out everywhere" in tab.text
    assert "/flows/-/default/invalidation/" not in tab.text
    assert not is_logged_in(as_bob)


def test_the_page_without_its_plan_does_not_send_the_browser_in_circles(client: Client, flows: None) -> None:
    """Going back to where it was started would only start it again."""
    answer = client.get("/if/flow/default-provider-invalidation-flow/?next=/application/o/whoami/end-session/")

    assert answer["Location"] == "/"
