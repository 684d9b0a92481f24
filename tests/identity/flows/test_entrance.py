"""How other pages send somebody through a flow, and what proves that it was passed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import Client, RequestFactory

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.flows import entrance, receipts
from doorward.identity.flows.entrance import PlanContext, RequestedScope
from doorward.identity.flows.models import Flow
from doorward.identity.logins.session_store import SessionStore
from identity.flow_tab import Tab

pytestmark = pytest.mark.django_db

IMPLICIT = "default-provider-authorization-implicit-consent"
EXPLICIT = "default-provider-authorization-explicit-consent"
HERE = "/application/o/authorize/?client_id=rp"

Ask = Callable[[], HttpRequest]


@pytest.fixture
def whoami(db: None) -> Application:
    return Application.objects.create(name="whoami", slug="whoami")


@pytest.fixture
def as_bob(client: Client, flows: None, bob: User, password: str) -> Ask:
    """Requests that bob's browser sends."""
    Tab(client).log_in("bob", password)

    def ask() -> HttpRequest:
        request = RequestFactory().get("/")
        request.session = SessionStore(client.cookies["__Host-doorward_login"].value)
        request.user = bob
        return request

    return ask


def test_a_flow_without_stages_is_through_at_once(as_bob: Ask, whoami: Application) -> None:
    """Straight to the continuation, with the receipt."""  # C9
    request, flow = as_bob(), Flow.objects.get(slug=IMPLICIT)

    answer = entrance.start(request, flow, next_url=HERE, context=PlanContext(application=whoami, continuation=HERE))

    assert answer["Location"] == HERE
    assert entrance.passed(request, flow, continuation=HERE)


def test_a_receipt_is_for_one_place_one_flow_one_time(as_bob: Ask) -> None:
    """Opening the address that follows a flow proves nothing."""
    request, flow, other = as_bob(), Flow.objects.get(slug=IMPLICIT), Flow.objects.get(slug=EXPLICIT)
    assert not entrance.passed(request, flow, continuation=HERE)

    entrance.start(request, flow, next_url=HERE, context=PlanContext(continuation=HERE))

    assert not entrance.passed(request, other, continuation=HERE)
    assert not entrance.passed(request, flow, continuation=HERE + "&scope=more")
    assert entrance.passed(request, flow, continuation=HERE)
    assert not entrance.passed(request, flow, continuation=HERE)


def test_a_receipt_expires_and_is_the_users_own(as_bob: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two minutes; and not for somebody else who logs in at the same browser."""
    request, flow = as_bob(), Flow.objects.get(slug=IMPLICIT)
    entrance.start(request, flow, next_url=HERE, context=PlanContext(continuation=HERE))
    request.user = AnonymousUser()
    assert not entrance.passed(request, flow, continuation=HERE)

    request = as_bob()
    entrance.start(request, flow, next_url=HERE, context=PlanContext(continuation=HERE))
    now = time.time() + timedelta(seconds=receipts.LONGEST, minutes=1).total_seconds()
    monkeypatch.setattr(time, "time", lambda: now)
    assert not entrance.passed(request, flow, continuation=HERE)


def test_whether_somebody_would_be_asked(as_bob: Ask, whoami: Application) -> None:
    """What prompt=none needs to know: nothing to do, consent to give, or nobody there."""
    request = as_bob()
    implicit, explicit = Flow.objects.get(slug=IMPLICIT), Flow.objects.get(slug=EXPLICIT)
    context = PlanContext(application=whoami, scopes=(RequestedScope("openid"),), continuation=HERE)

    assert not entrance.needs_answer(request, implicit, context=context)
    assert entrance.needs_answer(request, explicit, context=context)
    assert entrance.needs_answer(
        request, implicit, context=PlanContext(application=whoami, continuation=HERE, require_consent=True)
    )
    request.user = AnonymousUser()
    assert entrance.needs_answer(request, implicit, context=context)


def test_the_page_names_the_application_and_may_end_at_its_origin(
    client: Client, as_bob: Ask, whoami: Application
) -> None:
    """The consent form's answer redirects to the application: form-action has its origin and no other."""  # S-441
    request = as_bob()
    context = PlanContext(
        application=whoami, continuation=HERE, redirect_origins=("https://whoami.test", "https://x.test; script-src *")
    )
    answer = entrance.start(request, Flow.objects.get(slug=EXPLICIT), next_url=HERE, context=context)
    request.session.save()

    page = client.get(answer["Location"])

    assert "whoami wants to know who you are" in page.content.decode()
    assert page.headers["Content-Security-Policy"].endswith("form-action 'self' https://whoami.test")


def test_without_its_plan_an_authorization_goes_back_to_where_it_is_planned(client: Client, as_bob: Ask) -> None:
    """A reload after the session forgot the plan: the application's page starts it anew; without one, a sentence."""
    assert client.get(f"/if/flow/{EXPLICIT}/?next=/application/o/authorize/")["Location"] == "/application/o/authorize/"
    assert "Open the application again" in client.get(f"/if/flow/{EXPLICIT}/").content.decode()


def test_asking_for_the_password_again(client: Client, as_bob: Ask, whoami: Application, password: str) -> None:
    """prompt=login: the login pages are shown to somebody who is logged in, and leave their receipt."""
    request, flow = as_bob(), Flow.objects.get(slug="default-authentication-flow")
    context = PlanContext(application=whoami, continuation=HERE, reauthenticate=True, login_hint="bob")
    answer = entrance.start(request, flow, next_url=HERE, context=context)
    request.session.save()

    tab = Tab(client, answer["Location"])
    assert tab.has("uid_field")
    assert 'value="bob"' in tab.text
    assert "Log in to continue to whoami" in tab.text.replace("<strong>", "").replace("</strong>", "")
    assert tab.log_in("bob", password) == HERE
    assert entrance.passed(as_bob(), flow, continuation=HERE)
