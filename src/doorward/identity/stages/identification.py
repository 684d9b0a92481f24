"""Who are you? The name (or address) somebody logs in with, optionally with the password on the same page.

Or a passkey instead of all that: browsers offer it in the autofill of the name, and behind a button.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from msgspec import Struct, structs

from doorward.identity.authenticators.options import RequestOptions
from doorward.identity.directory.models import User
from doorward.identity.directory.queries import find_by_identifier
from doorward.identity.flows.admission import admits, known
from doorward.identity.flows.models import Flow
from doorward.identity.flows.next_url import page_path
from doorward.identity.flows.plan import FieldError, Pending
from doorward.identity.flows.visitor import visitor
from doorward.identity.mail import outbox
from doorward.identity.remembered.memory import remembered
from doorward.identity.sources import icons, kinds
from doorward.identity.sources.models import Source
from doorward.identity.stages import credentials, passkeys
from doorward.identity.stages.models import IdentificationStage, PasswordStage
from doorward.identity.stages.view import Answer, Ask, Challenge, Entered, Judged, Malformed, Passed, StageView, Wrong
from doorward.identity.web.context import let_pictures_in

LONGEST = 254
"""Characters: the longest mail address there is."""

UNKNOWN = FieldError("non_field_errors", gettext_noop("Failed to authenticate."))


class LoginChallenge(Struct, frozen=True, kw_only=True):
    """What a client does for a source: go there."""

    component: str = "xak-flow-redirect"
    to: str
    final_redirect: bool = False


class LoginSource(Struct, frozen=True, kw_only=True):
    """A button."""

    name: str
    icon_url: str
    promoted: bool
    challenge: LoginChallenge


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
    sources: list[LoginSource] = []


@remembered
def _sources_of(stage: UUID) -> list[Source]:
    chosen = IdentificationStage.sources.through._default_manager.filter(identificationstage=stage)
    return list(Source.objects.filter(pk__in=chosen.values("source"), enabled=True))


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
                show_source_labels=stage.show_source_labels,
                sources=self._sources(),
                passkey_challenge=passkeys.offered(visit, stage.webauthn_stage) if stage.webauthn_stage else None,
            )
        )

    def answer(self, answer: Answer) -> Judged:
        if passkey := answer.text("passkey"):
            return self._with_passkey(passkey)
        if not self.stage.user_fields:
            return Wrong((FieldError("non_field_errors", _("Choose one of the ways to log in."), "required"),))
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

    def _sources(self) -> list[LoginSource]:
        """Those that whoever is here may come through, the promoted ones first."""
        visit, plan = self.visit, self.visit.plan
        found = [
            LoginSource(
                name=source.name,
                icon_url=icons.url_of(source),
                promoted=source.promoted,
                challenge=LoginChallenge(to=to),
            )
            for source in _sources_of(self.stage.pk)
            if admits(visit.request, source, visitor(visit.request), known(plan)).passing
            if (to := kinds.login_url(source, next_url=plan.next, flow=plan.flow)) is not None
        ]
        let_pictures_in(visit.request, icons.origins_of(source.icon_url for source in found))
        return sorted(found, key=lambda source: not source.promoted)

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
