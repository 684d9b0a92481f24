"""The executor API, for clients with pages of their own (C11)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from doorward.identity.directory.models import User
from doorward.identity.flows.models import Flow

pytestmark = pytest.mark.django_db

URL = "/api/v3/flows/executor/default-authentication-flow/?query=next%3D%252Fif%252Fuser%252F"


def post(client: Client, answer: dict[str, Any], **headers: str) -> Any:
    return client.post(URL, answer, content_type="application/json", headers=headers)


def test_a_login_step_by_step(client: Client, flows: None, akadmin: User, password: str) -> None:
    """Challenge, 302, challenge, errors in the same component, and the redirect at the end."""  # C11
    first = client.get(URL).json()
    assert first["component"] == "ak-stage-identification"
    assert first["flow_info"] == {
        "title": "Welcome to Doorward!",
        "background": "",
        "background_themed_urls": None,
        "cancel_url": "/flows/-/cancel/",
        "layout": "stacked",
        "compatibility_mode": False,
    }
    assert first["user_fields"] == ["email", "username"]
    assert first["password_fields"] is False
    assert first["flow_designation"] == "authentication"
    assert "response_errors" not in first

    named = post(client, {"component": "ak-stage-identification", "uid_field": "akadmin"})
    assert (named.status_code, named["Location"]) == (302, URL)

    second = client.get(URL).json()
    assert (second["component"], second["pending_user"]) == ("ak-stage-password", "akadmin")

    wrong = post(client, {"component": "ak-stage-password", "password": "no"})
    assert wrong.status_code == 200
    assert wrong.json()["component"] == "ak-stage-password"
    assert wrong.json()["response_errors"] == {"password": [{"string": "Invalid password", "code": "invalid"}]}

    right = post(client, {"component": "ak-stage-password", "password": password})
    assert right.status_code == 200
    assert right.json()["component"] == "xak-flow-redirect"
    assert right.json()["to"] == "/if/user/"


def test_forms_do_as_well_as_json(client: Client, flows: None, akadmin: User, password: str) -> None:
    """The same fields, urlencoded or multipart."""
    client.get(URL)
    assert client.post(URL, {"uid_field": "akadmin"}).status_code == 302
    assert client.post(URL, {"password": password}).json()["component"] == "xak-flow-redirect"


def test_an_answer_for_another_component_shows_the_current_one(client: Client, flows: None, akadmin: User) -> None:
    """A client that is out of step is told where it stands."""  # S-501
    client.get(URL)

    answer = post(client, {"component": "ak-stage-password", "password": "x"})

    assert answer.json()["component"] == "ak-stage-identification"


def test_writing_needs_the_token_that_the_cookie_carries(flows: None, akadmin: User) -> None:
    """The header X-authentik-CSRF equals the readable cookie; without it nothing is judged."""  # S-528
    client = Client(enforce_csrf_checks=True, headers={"Origin": "https://auth.example.test"})
    client.get(URL)
    cookie = client.cookies["__Host-doorward_csrf"]

    assert post(client, {"uid_field": "akadmin"}).status_code == 403
    assert cookie["samesite"] == "Strict"
    assert not cookie["httponly"]
    named = post(client, {"uid_field": "akadmin"}, **{"X-authentik-CSRF": cookie.value})
    assert named.status_code == 302


@pytest.mark.parametrize("body", ["[]", "{", '"x"', '{"uid_field": ["a"]}', '{"uid_field": {"a": "b"}}', "\xff"])
def test_a_body_that_is_no_flat_object_is_refused(client: Client, flows: None, body: str) -> None:
    """400, and the stage stays where it is."""
    answer = client.post(URL, body.encode("latin-1"), content_type="application/json")

    assert answer.status_code == 400
    assert client.get(URL).json()["component"] == "ak-stage-identification"


def test_an_unknown_flow_is_404(client: Client, flows: None) -> None:
    """In JSON."""
    answer = client.get("/api/v3/flows/executor/no-such/?query=")

    assert answer.status_code == 404
    assert answer.json() == {"detail": "No Flow matches the given query."}


def test_a_flow_that_is_not_for_this_visitor_says_so(client: Client, flows: None, mallory: User, password: str) -> None:
    """The component ak-stage-access-denied."""
    Flow.objects.create(
        slug="admins", name="a", title="a", designation="enrollment", authentication="require_superuser"
    )
    client.get(URL)
    post(client, {"uid_field": "mallory"})
    post(client, {"password": password})

    answer = client.get("/api/v3/flows/executor/admins/?query=").json()

    assert answer["component"] == "ak-stage-access-denied"
    assert answer["error_message"] == "This is for administrators."


def test_compatibility_mode_is_kept_and_changes_nothing(client: Client, flows: None) -> None:
    """The page is the same plain HTML either way."""
    plain = client.get("/if/flow/default-authentication-flow/").content.count(b"<input")
    Flow.objects.filter(slug="default-authentication-flow").update(compatibility_mode=True)

    assert client.get(URL).json()["flow_info"]["compatibility_mode"] is True
    assert client.get("/if/flow/default-authentication-flow/").content.count(b"<input") == plain
