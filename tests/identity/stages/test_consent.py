"""The consent page: what is agreed to is what we hold, asked as often as the stage says (C10, S-441)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.utils import timezone

from doorward.identity.applications.models import Application, Consent
from doorward.identity.directory.models import User
from doorward.identity.flows import entrance
from doorward.identity.flows.entrance import PlanContext, RequestedScope
from doorward.identity.flows.models import Flow
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.session_store import SessionStore
from doorward.identity.stages.models import ConsentStage
from identity import proxied
from identity.flow_tab import Tab

pytestmark = pytest.mark.django_db

HERE = "/application/o/authorize/?client_id=rp"
OPENID, EMAIL = RequestedScope("openid"), RequestedScope("email", "Your email address")


class Visitor:
    """bob on his way to whoami."""

    def __init__(self, client: Client, user: User) -> None:
        self.client, self.user = client, user
        self.application, _ = Application.objects.get_or_create(
            slug="whoami", defaults={"name": '<b>whoami</b> {{7*7}} "><img src=x onerror=alert(1)>'}
        )
        self.flow = Flow.objects.get(slug="default-provider-authorization-explicit-consent")

    def request(self) -> HttpRequest:
        request = RequestFactory().get("/")
        request.session = SessionStore(self.client.cookies["__Host-doorward_login"].value)
        request.user = self.user
        return request

    def arrive(self, *scopes: RequestedScope, again: bool = False) -> Tab:
        request = self.request()
        context = PlanContext(
            application=self.application, scopes=scopes, continuation=HERE, require_consent=again, declined="/declined/"
        )
        answer = entrance.start(request, self.flow, next_url=HERE, context=context)
        request.session.save()
        return Tab(self.client, answer["Location"])

    def is_through(self) -> bool:
        request = self.request()
        passed = entrance.passed(request, self.flow, continuation=HERE)
        request.session.save()
        return passed


@pytest.fixture
def visitor(client: Client, flows: None, bob: User, password: str) -> Visitor:
    Tab(client).log_in("bob", password)
    return Visitor(client, bob)


def test_the_page_says_what_will_be_told(visitor: Visitor) -> None:
    """Descriptions of the scopes; one without a description is not worth a line."""  # C10
    tab = visitor.arrive(OPENID, EMAIL)

    assert "Your email address" in tab.text
    assert ">openid<" not in tab.text
    assert 'href="/declined/"' in tab.text


def test_who_acts_as_the_user_agrees_for_once(visitor: Visitor, akadmin: User) -> None:
    """The user is asked all the same when it is themselves who come."""  # S-534
    LoginSession.objects.filter(user=visitor.user).update(impersonator=akadmin, original=proxied.log_in(akadmin))
    assert visitor.arrive(OPENID, EMAIL).submit() == HERE
    assert visitor.is_through()
    assert not Consent.objects.exists()
    assert visitor.arrive(OPENID, EMAIL).has("token")


def test_consent_is_remembered_for_four_weeks(visitor: Visitor) -> None:
    """The second time there is no question; other scopes, or five weeks later, there is."""  # C10
    assert visitor.arrive(OPENID, EMAIL).submit() == HERE
    assert visitor.is_through()

    assert visitor.arrive(EMAIL, OPENID).response["Location"] == HERE
    assert visitor.arrive(OPENID).has("token")
    Consent.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert visitor.arrive(OPENID, EMAIL).has("token")


def test_permanent_consent_has_no_end(visitor: Visitor) -> None:
    """mode permanent."""
    ConsentStage.objects.update(mode=ConsentStage.Mode.PERMANENT)

    visitor.arrive(EMAIL).submit()

    assert Consent.objects.get().expires is None


def test_always_means_always(visitor: Visitor) -> None:
    """mode always_require keeps nothing."""
    ConsentStage.objects.update(mode=ConsentStage.Mode.ALWAYS_REQUIRE)

    visitor.arrive(EMAIL).submit()

    assert not Consent.objects.exists()
    assert visitor.arrive(EMAIL).has("token")


def test_the_client_can_ask_for_the_question(visitor: Visitor) -> None:
    """prompt=consent, although it was given before, and in a flow that has no consent stage."""
    visitor.arrive(EMAIL).submit()
    assert visitor.arrive(EMAIL, again=True).has("token")

    visitor.flow = Flow.objects.get(slug="default-provider-authorization-implicit-consent")
    assert visitor.arrive(EMAIL, again=True).submit() == HERE


def test_an_empty_answer_or_another_token_is_no_consent(visitor: Visitor) -> None:
    """Only this page's own form agrees."""  # S-441, S-501
    tab = visitor.arrive(EMAIL)
    for token in ("", "x", tab.hidden("token")[:-1]):
        visitor.client.post(tab.url, {"step": tab.hidden("step"), "token": token})
        tab.open()

    assert tab.has("token")
    assert not visitor.is_through()
    assert not Consent.objects.exists()


def test_scopes_come_from_the_request_not_from_the_form(visitor: Visitor) -> None:
    """Whatever the form adds is not agreed to."""  # S-441
    visitor.arrive(EMAIL).submit(scopes="email admin", permissions="admin", scope="admin")

    assert Consent.objects.get().permissions == "email"


def test_posted_twice_it_counts_once(visitor: Visitor) -> None:
    """A double click ends at the same place and agrees to nothing else."""  # S-441
    tab = visitor.arrive(EMAIL)
    fields = {"step": tab.hidden("step"), "token": tab.hidden("token")}
    first = visitor.client.post(tab.url, fields)
    second = visitor.client.post(tab.url, fields)

    assert (first.status_code, first["Location"]) == (303, HERE)
    assert (second.status_code, second["Location"]) == (303, HERE)
    assert visitor.is_through()
    assert not visitor.is_through()


def test_somebody_else_in_this_browser_does_not_inherit_the_question(
    visitor: Visitor, mallory: User, password: str
) -> None:
    """bob's open consent page is not answered by mallory."""  # S-503
    tab = visitor.arrive(EMAIL)
    fields = {"step": tab.hidden("step"), "token": tab.hidden("token")}
    visitor.client.get("/if/flow/default-invalidation-flow/")
    Tab(visitor.client).log_in("mallory", password)

    answer = visitor.client.post(tab.url, fields)

    assert answer["Location"] == HERE
    assert not Consent.objects.exists()
    visitor.user = mallory
    assert not visitor.is_through()


def test_what_others_wrote_is_shown_as_text(visitor: Visitor) -> None:
    """An application's name is neither markup nor a template."""  # S-530, S-531
    tab = visitor.arrive(RequestedScope("x", "<script>alert(1)</script> {0.__class__} %(x)s"))
    raw = visitor.client.get(tab.url).content.decode()

    assert "<img src=x" not in raw
    assert "<script>alert" not in raw
    assert "{{7*7}}" in tab.text
    assert "{0.__class__} %(x)s" in tab.text
