"""Flows that ask for something and write it: the password, one's settings, a new account."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from doorward.identity.directory.models import Group, User
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.logins.models import LoginSession
from doorward.identity.stages.models import PasswordStage, Prompt, PromptStage, UserLoginStage, UserWriteStage
from identity.flow_tab import Tab

pytestmark = pytest.mark.django_db

CHANGE = "/if/flow/default-password-change/"
SETTINGS = "/if/flow/default-user-settings-flow/"
GOOD = "seven grey herons at noon"


@pytest.fixture
def browser(client: Client, login_flows: None, bob: User, password: str) -> Client:
    """bob, logged in a moment ago."""
    assert Tab(client).log_in("bob", password) == "/"
    return client


def made(*fields: dict[str, Any], designation: str = "stage_configuration", **write: Any) -> str:
    """A flow of one prompt stage and one write stage."""
    stage = PromptStage.objects.create(name="ask")
    for order, field in enumerate(fields):
        prompt = Prompt.objects.create(
            name=f"field {order}", order=order, **{"label": "Label", "type": "text", **field}
        )
        stage.fields.add(prompt)
    flow = Flow.objects.create(slug="made", name="Made", title="Made", designation=designation)
    FlowStageBinding.objects.create(flow=flow, stage=stage, order=0)
    FlowStageBinding.objects.create(flow=flow, stage=UserWriteStage.objects.create(name="write", **write), order=1)
    return "/if/flow/made/"


# --- the password ----------------------------------------------------------------------------------------------------


def test_a_password_is_changed(browser: Client, bob: User) -> None:
    """Typed twice; other logins end, this one stays."""  # S-520
    other = LoginSession.objects.create(user=bob, session_key="0" * 64, expire_date=timezone.now() + timedelta(hours=1))
    tab = Tab(browser, f"{CHANGE}?next=/if/user/account/")

    assert tab.submit(password=GOOD, password_repeat=GOOD) == "/if/user/account/"

    bob.refresh_from_db()
    assert bob.check_password(GOOD)
    assert not LoginSession.objects.filter(pk=other.pk).exists()
    assert browser.get("/if/user/account/").status_code == 200
    assert Event.objects.filter(action="password_set", user__username="bob").exists()


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("", "", "This field is required."),
        (GOOD, "", "This field is required."),
        (GOOD, GOOD + "x", "Passwords don't match."),
        ("short", "short", "at least 8 characters"),
        ("password1", "password1", "easy to guess"),
        ("bob@example.test1", "bob@example.test1", "easy to guess"),
        ("a" * 1025, "a" * 1025, "at most 1024"),
    ],
)
def test_a_password_that_does_not_do(browser: Client, bob: User, first: str, second: str, sentence: str) -> None:
    """The page says why, at the field, and shows nothing of what was typed."""
    before = bob.password
    tab = Tab(browser, CHANGE)
    tab.submit(password=first, password_repeat=second)

    assert sentence in tab.text
    assert not first or first not in tab.text
    bob.refresh_from_db()
    assert bob.password == before


def test_an_old_login_is_asked_to_log_in_again(browser: Client, bob: User, password: str) -> None:
    """A browser that was left open cannot choose a password; neither at the page nor by answering it."""  # S-512
    tab = Tab(browser, CHANGE)
    LoginSession.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))
    answer = browser.post(CHANGE, {"step": tab.hidden("step"), "password": GOOD, "password_repeat": GOOD})

    stage = PasswordStage.objects.get()
    assert answer["Location"] == browser.get(CHANGE)["Location"] == f"/flows/-/configure/{stage.pk}/"
    again = Tab(browser, browser.get(answer["Location"])["Location"])
    assert again.log_in("bob", password) == answer["Location"]
    bob.refresh_from_db()
    assert bob.check_password(password)


def test_a_password_is_sealed_while_it_waits(browser: Client) -> None:
    """Between the prompt and a stage that asks something else, the session does not hold it in the clear."""  # S-803
    flow = Flow.objects.get(slug="default-password-change")
    more = PromptStage.objects.create(name="more")
    more.fields.add(Prompt.objects.create(name="x", field_key="attributes.x", label="X", type="text"))
    FlowStageBinding.objects.filter(flow=flow, order=1).update(order=2)
    FlowStageBinding.objects.create(flow=flow, stage=more, order=1)
    tab = Tab(browser, CHANGE)
    tab.submit(password=GOOD, password_repeat=GOOD)
    assert tab.has("attributes.x")

    row = LoginSession.objects.get()
    assert GOOD not in str(browser.session.decode(row.session_data))
    assert tab.submit(**{"attributes.x": "1"}) == "/"
    assert User.objects.get(username="bob").check_password(GOOD)


# --- settings --------------------------------------------------------------------------------------------------------


def test_people_change_their_own_name_and_language(browser: Client, bob: User) -> None:
    """And see what is there already."""
    tab = Tab(browser, SETTINGS)
    assert 'value="Bob"' in tab.text

    assert tab.submit(name="Robert", locale="en") == "/"

    bob.refresh_from_db()
    assert (bob.name, bob.attributes["settings"]) == ("Robert", {"locale": "en"})


def test_name_and_address_are_for_administrators_to_change(browser: Client, bob: User) -> None:
    """Read-only on the page, and ignored when a browser sends them all the same."""  # S-518, S-521
    tab = Tab(browser, SETTINGS)
    assert len(re.findall(r" readonly", tab.text)) == 2
    tab.submit(name="Bob", username="root", email="evil@evil.test")

    bob.refresh_from_db()
    assert (bob.username, bob.email) == ("bob", "bob@example.test")


def test_who_may_change_the_user_name_can(browser: Client, bob: User, mallory: User) -> None:
    """The user's attribute says so; a name that is taken or reserved is refused at the field."""  # S-522
    User.objects.filter(pk=bob.pk).update(attributes={"goauthentik.io/user/can-change-username": True})
    tab = Tab(browser, SETTINGS)
    for taken in ("MALLORY", "akadmin", "ｍallory"):
        tab.submit(username=taken, name="Bob")
        assert "This username is taken." in tab.text

    assert tab.submit(username="robert", name="Bob") == "/"
    bob.refresh_from_db()
    assert bob.username == "robert"


def test_the_settings_need_a_login(client: Client, login_flows: None) -> None:
    """For strangers there is nothing to change."""  # S-521
    for path in (SETTINGS, CHANGE):
        assert "/flows/-/default/authentication/" in client.get(path)["Location"]


# --- fields ----------------------------------------------------------------------------------------------------------

TYPED: list[tuple[str, str, str | None]] = [
    ("number", "12", None),
    ("number", "1e400", "too large"),
    ("number", "nan", "too large"),
    ("number", "x", "not a number"),
    ("date", "2027-02-28", None),
    ("date", "2027-02-30", "not a date"),
    ("date-time", "2027-02-28T10:00", None),
    ("date-time", "tomorrow", "not a date"),
    ("email", "a@b", "Enter a valid email"),
    ("email", "a@example.test\nBcc: x@example.test", "Enter a valid email"),
    ("text", "line\nbreak", "not allowed"),
    ("text", "x" * 5000, "At most"),
    ("text_area", "line\nbreak", None),
    ("dropdown", "two", None),
    ("dropdown", "three", "Choose one of these."),
    ("radio-button-group", "one", None),
    ("checkbox", "true", None),
    ("checkbox", "", "has to be ticked"),
    ("ak-locale", "xx", "Choose one of these."),
]


@pytest.mark.parametrize(("kind", "typed", "sentence"), TYPED)
def test_each_type_takes_what_its_name_says(
    browser: Client, bob: User, kind: str, typed: str, sentence: str | None
) -> None:
    """And the error stands at the field; what was typed is still there."""
    path = made({"field_key": "attributes.x", "type": kind, "placeholder": "one\ntwo"})
    tab = Tab(browser, path)
    to = tab.submit(**{"attributes.x": typed})

    bob.refresh_from_db()
    if sentence is None:
        assert to == "/"
        assert "x" in bob.attributes
    else:
        assert sentence in tab.text
        assert "x" not in bob.attributes


def test_texts_and_hidden_values_are_the_operators(browser: Client, bob: User) -> None:
    """Whatever a browser sends for them."""
    path = made(
        {"field_key": "note", "type": "static", "initial_value": "Read this"},
        {"field_key": "warning", "type": "alert_warning", "initial_value": "Mind the gap"},
        {"field_key": "attributes.hidden", "type": "hidden", "initial_value": "ours"},
        {"field_key": "attributes.fixed", "type": "text_read_only", "initial_value": "ours"},
    )
    tab = Tab(browser, path)
    assert "Read this" in tab.text
    assert "Mind the gap" in tab.text
    tab.submit(**{"attributes.hidden": "theirs", "attributes.fixed": "theirs", "note": "theirs"})

    bob.refresh_from_db()
    assert bob.attributes == {"hidden": "ours", "fixed": "ours"}


@pytest.mark.parametrize(
    "key",
    ["is_superuser", "groups", "path", "type", "is_active", "password_hash", "attributes", "attributes.", "uuid"],
)
def test_only_what_belongs_to_a_person_is_written(browser: Client, bob: User, key: str) -> None:
    """A prompt that is called like a right does not give it."""  # S-521
    before = User.objects.filter(pk=bob.pk).values().get()
    Tab(browser, made({"field_key": key})).submit(**{key: "true"})

    after = User.objects.filter(pk=bob.pk).values().get()
    assert {**after, "last_updated": None} == {**before, "last_updated": None}
    assert not bob.is_superuser


def test_attributes_of_the_program_cannot_be_prompted(browser: Client, bob: User) -> None:
    """They hold rights, such as changing one's user name."""  # S-521
    key = "attributes.goauthentik.io/user/can-change-username"
    Tab(browser, made({"field_key": key})).submit(**{key: "true"})

    bob.refresh_from_db()
    assert bob.attributes == {}


def test_texts_are_shown_as_text(browser: Client) -> None:
    """Labels, hints, and what was typed."""  # S-530
    evil = '"><img src=x onerror=alert(1)>'
    path = made(
        {"field_key": "attributes.x", "label": evil, "sub_text": evil, "placeholder": evil},
        {"field_key": "attributes.n", "type": "number"},
    )
    tab = Tab(browser, path)
    tab.submit(**{"attributes.x": evil, "attributes.n": "no"})

    assert "<img" not in browser.get(path).content.decode()


# --- new users -------------------------------------------------------------------------------------------------------

PERSON: tuple[dict[str, Any], ...] = (
    {"field_key": "username", "type": "username"},
    {"field_key": "email", "type": "email"},
    {"field_key": "password", "type": "password"},
)


def test_an_enrolment_makes_a_user(client: Client, login_flows: None, staff: Group) -> None:
    """Of the type, in the group and at the path that the stage says; logged in at once if it says so."""
    path = made(*PERSON, designation="enrollment", create_users_group=staff, user_path_template="guests")
    flow = Flow.objects.get(slug="made")
    FlowStageBinding.objects.create(
        flow=flow, stage=UserLoginStage.objects.get(name="default-authentication-login"), order=2
    )
    tab = Tab(client, path)

    assert tab.submit(username="carol", email="carol@example.test", password=GOOD) == "/"

    carol = User.objects.get(username="carol")
    assert (carol.type, carol.path, list(carol.groups.all())) == ("external", "guests", [staff])
    assert carol.check_password(GOOD)
    assert not carol.is_superuser
    assert LoginSession.objects.get(user=carol).methods == ["pwd"]


def test_a_name_that_is_taken_makes_nobody(client: Client, login_flows: None, bob: User) -> None:
    """And changes nobody: bob keeps his password."""  # CVE-2022-46172
    tab = Tab(client, made(*PERSON, designation="enrollment"))
    tab.submit(username="bob", email="x@example.test", password=GOOD)

    assert "This username is taken." in tab.text
    bob.refresh_from_db()
    assert bob.email == "bob@example.test"


@pytest.mark.parametrize("designation", ["authentication", "stage_configuration", "recovery", "unenrollment"])
def test_users_come_out_of_enrolments_only(client: Client, login_flows: None, designation: str) -> None:
    """Any other flow that writes without a user is refused."""  # S-521, CVE-2022-46145
    tab = Tab(client, made(*PERSON, designation=designation))

    answer = client.post(
        tab.url, {"step": tab.hidden("step"), "username": "carol", "email": "c@example.test", "password": GOOD}
    )

    assert answer.status_code == 403
    assert not User.objects.filter(username="carol").exists()


def test_a_name_alone_does_not_make_somebody_writable(client: Client, login_flows: None, bob: User) -> None:
    """identification, prompt, write: whoever only typed bob's name changes nothing of bob's."""  # CVE-2022-23555
    made(*PERSON, designation="enrollment")
    flow = Flow.objects.get(slug="made")
    identification = Flow.objects.get(slug="default-authentication-flow").stages.get(kind="identification")
    FlowStageBinding.objects.create(flow=flow, stage=identification, order=-1)
    tab = Tab(client, "/if/flow/made/")
    tab.submit(uid_field="bob")

    answer = client.post(
        tab.url, {"step": tab.hidden("step"), "username": "robert", "email": "c@example.test", "password": GOOD}
    )

    assert answer.status_code == 403
    bob.refresh_from_db()
    assert (bob.username, bob.email) == ("bob", "bob@example.test")


def test_the_challenge_of_the_api(browser: Client) -> None:
    """authentik's keys; errors at the field's key."""  # C11
    browser.get(f"{SETTINGS}?next=/")
    url = "/api/v3/flows/executor/default-user-settings-flow/?query=next%3D%252F"
    challenge = browser.get(url).json()

    assert challenge["component"] == "ak-stage-prompt"
    assert [field["field_key"] for field in challenge["fields"]] == ["username", "name", "email", "locale"]
    assert set(challenge["fields"][1]) == {
        "field_key", "label", "type", "required", "placeholder", "initial_value", "order", "sub_text", "choices",
    }  # fmt: skip
    wrong = browser.post(url, {"locale": "xx"}, content_type="application/json").json()
    assert wrong["response_errors"] == {"locale": [{"string": "Choose one of these.", "code": "invalid"}]}
