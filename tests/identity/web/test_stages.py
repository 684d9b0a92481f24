"""Stages of every kind, and the fields of prompt stages, as administrators make and change them."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.urls import reverse

from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows.actions import bind_stage
from doorward.identity.flows.models import Flow
from doorward.identity.flows.plan import IFRAME_LOGOUT, SESSION_END, SOURCE_LOGOUT
from doorward.identity.stages.models import (
    AuthenticatorValidateStage,
    AuthenticatorWebAuthnStage,
    DummyStage,
    IdentificationStage,
    Prompt,
    PromptStage,
    RedirectStage,
    Stage,
)
from doorward.identity.stages.registry import VIEWS
from doorward.identity.web.forms.stages.base import plain_form
from doorward.identity.web.forms.stages.prompts import PromptForm
from doorward.identity.web.forms.stages.registry import FORMS, kinds
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db

NEEDED: dict[str, dict[str, Any]] = {
    "redirect": {"target_static": "/elsewhere/"},
    "captcha": {"public_key": "site", "private_key": "a secret of mine"},
}
"""What a new stage of this kind does not begin with."""


SEVERAL = (forms.MultipleChoiceField, forms.ModelMultipleChoiceField)


def filled(form: forms.Form) -> dict[str, Any]:
    """What a browser sends for a form that nobody has touched."""
    sent: dict[str, Any] = {}
    for bound in form:
        value = bound.field.prepare_value(bound.initial)
        if isinstance(bound.field, forms.BooleanField):
            sent |= {bound.name: "on"} if value else {}
        elif value not in (None, "", []):
            sent[bound.name] = value
        elif isinstance(bound.field, forms.ChoiceField) and not isinstance(bound.field, SEVERAL):
            sent[bound.name] = bound.subwidgets[0].data["value"]
    return sent


def test_every_kind_that_runs_has_a_form() -> None:
    """Of its own or a plain one, so that no kind can only be made through the API."""
    assert VIEWS.keys() - {SESSION_END, IFRAME_LOGOUT, SOURCE_LOGOUT} <= kinds().keys()


@pytest.mark.parametrize("kind", FORMS)
def test_every_field_is_explained(kind: str) -> None:
    """A label and a help text; and every column of the model has its field."""
    form = FORMS[kind]()

    assert [field.name for field in form if not field.help_text or not field.label] == []
    columns = {field.name for field in form.model._meta.local_fields if not field.primary_key}
    columns |= {field.name for field in form.model._meta.local_many_to_many}
    assert columns - {"stage_ptr"} <= form.fields.keys() | {f"sealed_{name}" for name in form.secret}


def test_a_stage_of_every_kind_is_made_shown_changed_and_deleted(admin: Visitor) -> None:
    """With what its form begins with; saving it unchanged changes nothing."""
    for kind, form in FORMS.items():
        model, address = form.model, f"/if/admin/new/stage/{kind}/"
        text = admin.succeed(address, **{**filled(form()), **NEEDED.get(kind, {}), "name": "mine"})
        assert "“mine” is created." in text
        made = model.objects.get(name="mine")
        page = f"/if/admin/stages/{made.pk}/"

        events = Event.objects.count()
        admin.succeed(page, **filled(form(stage=made)))
        assert Event.objects.count() == events, kind
        assert "a secret of mine" not in admin.text
        admin.succeed(f"{page}delete/")
        assert not model.objects.filter(pk=made.pk).exists()


def test_stages_are_listed_renamed_and_not_deleted_unawares(admin: Visitor) -> None:
    """By kind and name; before one is deleted, the page says who would miss it."""
    stage = DummyStage.objects.create(name="button")
    admin.succeed(f"/if/admin/stages/{stage.pk}/", name="knob")

    assert "knob" in admin.open("/if/admin/stages/?kind=dummy")
    assert "There is none of this kind yet." in admin.open("/if/admin/stages/?kind=deny")
    assert "Nothing uses it." in admin.open(f"/if/admin/stages/{stage.pk}/delete/")
    flow = Flow.objects.create(name="Try", slug="try", title="Try", designation="stage_configuration")
    bind_stage(Actor.system(), flow, stage)
    assert "The flow “try” goes on without it." in admin.open(f"/if/admin/stages/{stage.pk}/delete/")


def test_a_stage_is_made_for_a_flow(admin: Visitor) -> None:
    """From the flow's page: chosen by what it does, and then the last stage."""
    flow = Flow.objects.create(name="Try", slug="try", title="Try", designation="stage_configuration")
    assert "/if/admin/new/stage/?flow=try" in admin.open("/if/admin/flows/try/stages/new/")
    assert "/if/admin/new/stage/dummy/?flow=try" in admin.open("/if/admin/new/stage/?flow=try")

    text = admin.succeed("/if/admin/new/stage/dummy/?flow=try", name="button")

    assert "“button” is created, and the last stage now." in text
    assert flow.stage_bindings.get().stage.name == "button"


def test_related_objects_are_kept(admin: Visitor) -> None:
    """Several of them, in the order of their names; taken away again."""
    stage = AuthenticatorValidateStage.objects.get(name="default-authentication-mfa-validation")
    totp = Stage.objects.get(name="default-authenticator-totp-setup")
    static = Stage.objects.get(name="default-authenticator-static-setup")
    fields = filled(FORMS[stage.kind](stage=stage))
    fields |= {"configuration_stages": [str(totp.pk), str(static.pk)], "not_configured_action": "configure"}

    admin.succeed(f"/if/admin/stages/{stage.pk}/", **fields)
    assert set(stage.configuration_stages.all()) == {totp, static}
    assert Event.objects.filter(action="model_updated", context__diff__has_key="configuration_stages").exists()
    assert "default-authentication-mfa-validation" in admin.open(f"/if/admin/stages/{totp.pk}/")

    admin.succeed(f"/if/admin/stages/{stage.pk}/", **{**fields, "configuration_stages": []})
    assert not stage.configuration_stages.exists()


IMPOSSIBLE: list[tuple[str, dict[str, Any], str]] = [
    ("userlogin", {"session_duration": "soon", "remember_me_offset": "seconds=0"}, "session_duration"),
    ("redirect", {"mode": "static", "target_static": "javascript:alert(1)"}, "http(s) URL"),
    ("redirect", {"mode": "flow"}, "This mode needs a target."),
    ("authenticatorvalidate", {"device_classes": []}, "device_classes"),
    ("authenticatorstatic", {"token_count": "0", "token_length": "1"}, "token_length"),
    ("deny", {"name": "default-authentication-login"}, "already exists"),
    ("deny", {"name": ""}, "This field is required."),
]
"""Kind, what is sent, and what the page then says."""


def test_settings_that_cannot_be(admin: Visitor) -> None:
    """400, at the field; nothing is made."""
    before = Stage.objects.count()

    for kind, fields, message in IMPOSSIBLE:
        answer = admin.send(f"/if/admin/new/stage/{kind}/", **{**filled(FORMS[kind]()), "name": "mine", **fields})
        assert answer.status_code == 400, (kind, fields)
        assert message in admin.text
    assert Stage.objects.count() == before


def test_fields_that_a_form_does_not_have_are_ignored(admin: Visitor) -> None:
    """Neither the kind nor the key of a stage can be sent along."""  # S-604
    stage = DummyStage.objects.create(name="button")

    admin.succeed(f"/if/admin/stages/{stage.pk}/", name="button", kind="deny", id="0", stage_ptr="0", throw_error="on")

    stage.refresh_from_db()
    assert (stage.kind, stage.throw_error) == ("dummy", True)


def test_a_kind_that_does_not_exist(admin: Visitor) -> None:
    """404, like an object that is not there."""
    assert admin.get("/if/admin/new/stage/party/").status_code == 404
    assert admin.get("/if/admin/stages/00000000-0000-4000-8000-000000000000/").status_code == 404


def test_a_kind_without_a_form_of_its_own_has_a_plain_one() -> None:
    """Made of the model's columns, related objects included."""
    form = plain_form(AuthenticatorValidateStage)(stage=AuthenticatorValidateStage.objects.create(name="x"))

    assert form["not_configured_action"].initial == "skip"
    assert {"name", "device_classes", "configuration_stages"} <= form.fields.keys()
    assert all(field.help_text for field in form)


def test_an_empty_choice_is_stored_as_nothing(admin: Visitor) -> None:
    """The API's clients read null there, not an empty text."""
    stage = AuthenticatorWebAuthnStage.objects.get(name="default-authenticator-webauthn-setup")
    fields = filled(FORMS[stage.kind](stage=stage))
    for sent, stored in (("platform", "platform"), ("", None)):
        admin.succeed(f"/if/admin/stages/{stage.pk}/", **{**fields, "authenticator_attachment": sent})
        stage.refresh_from_db()
        assert stage.authenticator_attachment == stored


def test_who_uses_a_stage(admin: Visitor) -> None:
    """The flows that it stands in, and the stages that refer to it."""
    stage = Stage.objects.get(name="default-authentication-password").concrete()
    IdentificationStage.objects.update(password_stage=stage)

    text = admin.open(f"/if/admin/stages/{stage.pk}/")

    assert "flow “default-authentication-flow”" in text
    assert "identification stage “default-authentication-identification”" in text


def test_a_field_is_made_changed_used_and_deleted(admin: Visitor) -> None:
    """With its order; a stage names the fields that it asks for."""
    sent = {
        "name": "team",
        "label": "Your team",
        "field_key": "attributes.team",
        "type": "dropdown",
        "placeholder": "red\nblue",
        "order": "7",
        "required": "on",
    }
    assert "“team” is created." in admin.succeed("/if/admin/new/prompt/", **sent)
    prompt = Prompt.objects.get(name="team")
    assert (prompt.order, prompt.required, prompt.placeholder.splitlines()) == (7, True, ["red", "blue"])

    admin.succeed("/if/admin/new/stage/prompt/", name="ask", fields=[str(prompt.pk)])
    assert list(PromptStage.objects.get(name="ask").fields.all()) == [prompt]
    text = admin.open("/if/admin/prompts/?q=team")
    assert "Your team" in text
    assert "ask" in text

    admin.succeed(f"/if/admin/prompts/{prompt.pk}/", **{**filled(PromptForm(prompt=prompt)), "order": "2"})
    prompt.refresh_from_db()
    assert prompt.order == 2
    assert "“ask” no longer asks for it." in admin.open(f"/if/admin/prompts/{prompt.pk}/delete/")
    admin.succeed(f"/if/admin/prompts/{prompt.pk}/delete/")
    assert not Prompt.objects.filter(name="team").exists()


@pytest.mark.parametrize("key", ["step", "component", "csrfmiddlewaretoken"])
def test_a_field_does_not_take_the_page_s_own_names(admin: Visitor, key: str) -> None:
    """400: the page would read its own answer as the visitor's."""  # S-501
    sent = {"name": "x", "label": "x", "field_key": key, "type": "text", "order": "0"}

    assert admin.send("/if/admin/new/prompt/", **sent).status_code == 400
    assert "The page uses this name itself; choose another." in admin.text


def test_a_redirect_into_another_flow(admin: Visitor, bob: User) -> None:
    """The target is kept; the stage names the flow on its page."""
    target = Flow.objects.get(slug="default-recovery-flow")
    fields = {"name": "on", "mode": "flow", "target_flow": str(target.pk), "keep_context": "on"}
    admin.succeed("/if/admin/new/stage/redirect/", **fields)

    made = RedirectStage.objects.get(name="on")
    assert made.target_flow == target
    assert "redirect stage “on”" in admin.open(reverse("admin-flow", args=[target.slug]))
