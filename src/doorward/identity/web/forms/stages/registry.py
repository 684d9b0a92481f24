"""The table of forms: which one holds the settings of which kind of stage. A new kind is one form and one line here."""

from __future__ import annotations

from collections.abc import Iterator

from doorward.identity.stages.models import Stage
from doorward.identity.web.forms.stages import captcha, course, factors, login, prompts
from doorward.identity.web.forms.stages.base import StageForm, plain_form

FORMS: dict[str, type[StageForm]] = {
    form.model.KIND: form
    for form in (
        login.IdentificationForm,
        login.PasswordForm,
        factors.AuthenticatorValidateForm,
        login.UserLoginForm,
        login.UserLogoutForm,
        login.ConsentForm,
        factors.AuthenticatorTOTPForm,
        factors.AuthenticatorWebAuthnForm,
        factors.AuthenticatorStaticForm,
        factors.AuthenticatorEmailForm,
        captcha.CaptchaForm,
        course.EmailForm,
        course.InvitationForm,
        prompts.PromptStageForm,
        prompts.UserWriteForm,
        course.UserDeleteForm,
        course.RedirectForm,
        course.DenyForm,
        course.DummyForm,
    )
}
"""In the order in which they are offered."""


def kinds() -> dict[str, type[StageForm]]:
    """The form of every kind that exists, those without one of their own last."""
    missing = {model.KIND: plain_form(model) for model in _models(Stage) if model.KIND not in FORMS}
    return {**FORMS, **missing}


def form_of(kind: str) -> type[StageForm] | None:
    """None for a kind that does not exist."""
    return FORMS.get(kind) or kinds().get(kind)


def does(kind: str) -> str:
    """What stages of this kind do, in words."""
    form = form_of(kind)
    return str(form.does) if form else kind


def _models(above: type[Stage]) -> Iterator[type[Stage]]:
    for model in above.__subclasses__():
        if model.KIND and not model._meta.abstract:
            yield model
        yield from _models(model)
