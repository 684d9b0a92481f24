"""Who are you? The name (or address) somebody logs in with, optionally with the password on the same page.

Or a passkey instead of all that: browsers offer it in the autofill of the name, and behind a button.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from msgspec import structs

from doorward.identity.authenticators.options import RequestOptions
from doorward.identity.directory.models import User
from doorward.identity.directory.queries import find_by_identifier
from doorward.identity.flows.models import Flow
from doorward.identity.flows.next_url import page_path
from doorward.identity.flows.plan import FieldError, Pending
from doorward.identity.mail import outbox
from doorward.identity.stages import credentials, passkeys
from doorward.identity.stages.models import IdentificationStage, PasswordStage
from doorward.identity.stages.view import Answer, Ask, Challenge, Entered, Judged, Malformed, Passed, StageView, Wrong

LONGEST = 254
"""Characters: the longest mail address there is."""

UNKNOWN = FieldError("non_field_errors", gettext_noop("Failed to authenticate."))


class IdentificationChallenge(Challenge, frozen=True, kw_only=True):
    user_fields: list[str]
    password_fields: bool
    allow_show_password: bool
    application_pre: str | None
    flow_designation: str
    primary_action: str
    show_source_labels: bool = False
    enable_remember_me: bool
    pending_user_identifier: str | None
    enroll_url: str | None = None
    recovery_url: str | None = None
    passwordless_url: str | None = None
    passkey_challenge: RequestOptions | None = None


class IdentificationView(StageView[IdentificationStage]):
    component = "ak-stage-identification"
    template: ClassVar[str] = "flows/identification.html"

    def enter(self) -> Entered:
        visit, stage = self.visit, self.stage
        pending = visit.plan.pending
        return Ask(
            IdentificationChallenge(
                component=self.component,
                flow_info=visit.flow_info(),
                user_fields=list(stage.user_fields),
                password_fields=stage.password_stage is not None,
                allow_show_password=stage.password_stage is not None and stage.password_stage.allow_show_password,
                application_pre=visit.application.name if visit.application else None,
                flow_designation=visit.flow.designation,
                primary_action=_("Log in") if stage.password_stage else _("Continue"),
                enable_remember_me=stage.enable_remember_me,
                pending_user_identifier=(pending.identifier if pending else visit.plan.context.login_hint) or None,
                enroll_url=self._url_of(stage.enrollment_flow),
                recovery_url=self._url_of(stage.recovery_flow) if outbox.is_configured() else None,
                passwordless_url=self._url_of(stage.passwordless_flow),
                passkey_challenge=passkeys.offered(visit, stage.webauthn_stage) if stage.webauthn_stage else None,
            )
        )

    def answer(self, answer: Answer) -> Judged:
        if passkey := answer.text("passkey"):
            return self._with_passkey(passkey)
        identifier = answer.text("uid_field").strip()
        if "\0" in identifier or len(identifier) > LONGEST:
            return Malformed(_("That is not a user name."))
        if not identifier:
            return Wrong((FieldError("uid_field", _("This field may not be blank."), "blank"),))
        user = find_by_identifier(identifier, self.stage.user_fields, self.stage.case_insensitive_matching)
        plan = structs.replace(self.visit.plan, pending=Pending(identifier, user.pk if user else None), proven=None)
        if self.stage.password_stage is not None:
            return self._with_password(answer, self.stage.password_stage, identifier, user)
        if user is None and not self.stage.pretend_user_exists:
            return Wrong((UNKNOWN,))
        return Passed(plan.passed())

    def _url_of(self, flow: Flow | None) -> str | None:
        return page_path(flow.slug, self.visit.plan.next) if flow is not None else None

    def _with_passkey(self, passkey: str) -> Judged:
        if self.stage.webauthn_stage is None or passkeys.offered(self.visit, self.stage.webauthn_stage) is None:
            return Wrong((UNKNOWN,))
        # Whoever was named before has thought better of it: the passkey says who it is.
        nobody = replace(self.visit, plan=structs.replace(self.visit.plan, pending=None))
        shown = passkeys.of_anybody(nobody, self.stage, passkey)
        if isinstance(shown, passkeys.Shown):
            return Passed(passkeys.logged_in_by(nobody.plan, shown.user).passed())
        return shown or Wrong((UNKNOWN,))

    def _with_password(self, answer: Answer, rules: PasswordStage, identifier: str, user: User | None) -> Judged:
        if not answer.text("password"):
            return Wrong((FieldError("password", _("This field may not be blank."), "blank"),))
        checked = credentials.check(self.visit, self.stage, rules, user, identifier, answer.text("password"))
        if isinstance(checked, Malformed):
            return checked
        if user is None or not checked:
            return Wrong((UNKNOWN,))
        plan = structs.replace(
            self.visit.plan,
            pending=Pending(identifier, user.pk),
            proven=user.pk,
            methods=("pwd",),
            passwords_checked=(*self.visit.plan.passwords_checked, str(self.stage.password_stage_id)),
        )
        return Passed(plan.passed())
