"""Set up a passkey or a security key: the one stage that needs a script, for the browser has no form for it."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.authenticators import actions, ceremonies, options, relying_party
from doorward.identity.authenticators.ceremonies import NotVerified
from doorward.identity.authenticators.models import WebAuthnDevice
from doorward.identity.authenticators.options import CreationOptions
from doorward.identity.brands.queries import current_brand
from doorward.identity.directory.models import User
from doorward.identity.events import actions as events
from doorward.identity.flows.plan import FieldError
from doorward.identity.stages.enrolment import EnrolmentChallenge, EnrolmentView, errors_of
from doorward.identity.stages.models import AuthenticatorWebAuthnStage, Preference
from doorward.identity.stages.view import Answer, Ask, Entered, Judged, Passed, Refused, Wrong

DEFAULT_NAME = gettext_noop("Passkey")


class WebAuthnChallenge(EnrolmentChallenge, frozen=True, kw_only=True):
    registration: CreationOptions


class AuthenticatorWebAuthnView(EnrolmentView[AuthenticatorWebAuthnStage]):
    component = "ak-stage-authenticator-webauthn"
    template: ClassVar[str] = "flows/authenticator_webauthn.html"

    def enter(self) -> Entered:
        user = self.user()
        if not isinstance(user, User):
            return user
        if not relying_party.is_possible():
            return Refused(_("Passkeys work at a name and over TLS only."), (f"We are at {relying_party.origin()}.",))
        stage = self.stage
        registration = options.to_create(
            self._bound_to(user),
            user,
            WebAuthnDevice.objects.filter(user=user),
            rp_name=current_brand().branding_title,
            user_verification=stage.user_verification,
            resident_key=stage.resident_key_requirement,
            attachment=stage.authenticator_attachment or "",
            hints=stage.hints,
        )
        return Ask(
            WebAuthnChallenge(
                component=self.component,
                flow_info=self.visit.flow_info(),
                pending_user=user.username,
                registration=registration,
            )
        )

    def answer(self, answer: Answer) -> Judged:
        user = self.user()
        if not isinstance(user, User):
            return user
        try:
            registered = ceremonies.registered(
                answer.text("response"),
                self._bound_to(user),
                require_user_verification=self.stage.user_verification == Preference.REQUIRED,
            )
            actions.add_webauthn(
                self.visit.actor.acting_as(user), user, name=self.name(answer, _(DEFAULT_NAME)), registered=registered
            )
        except NotVerified as why:
            return self._refused(user, str(why))
        except ValidationError as error:
            return Wrong(errors_of(error))
        return Passed(self.proved(self.visit.plan, "user").passed())

    def _refused(self, user: User, why: str) -> Judged:
        events.record(
            "suspicious_request",
            "authentik.stages.authenticator_webauthn",
            self.visit.actor,
            message=f"A new key was refused: {why}",
            username=user.username,
        )
        if 0 < self.stage.max_attempts <= self.visit.plan.failures + 1:
            return Refused(_("That did not work too often. Start again from your account."))
        return Wrong((FieldError("response", _("That did not work. Please try again.")),))

    def _bound_to(self, user: User) -> str:
        return f"create:{self.visit.plan.id}:{user.pk}"
