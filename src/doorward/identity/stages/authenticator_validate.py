"""Asks for a second factor of whoever the stages before it have proven, or for a passkey of somebody unknown.

=================================  ==========================================================
before this stage                  what it asks for
=================================  ==========================================================
a credential stage proved a user   one of their factors of the listed classes
nobody                             a passkey, with its own verification: a login without password
a user is logged in                one of their factors (step-up); the login keeps that it was shown
=================================  ==========================================================

Factors are looked up for a *proven* user only: a name alone must not tell which factors somebody has (S-504). Passing
is the only way on: until the user login stage after it, nobody is logged in (S-513).
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import msgspec
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.authenticators import codes, mailed_codes, queries, remembered
from doorward.identity.authenticators.models import Device, DeviceClass, EmailDevice, WebAuthnDevice
from doorward.identity.authenticators.standing import SECOND_FACTOR
from doorward.identity.authenticators.throttle import PER_LOGIN
from doorward.identity.directory.models import User
from doorward.identity.durations import parse
from doorward.identity.flows.plan import FieldError, Plan, Step
from doorward.identity.flows.visitor import visitor
from doorward.identity.logins import actions as logins
from doorward.identity.logins.queries import current
from doorward.identity.stages import code_letters, credentials, passkeys
from doorward.identity.stages.factor_questions import (
    SET_UP_NAMES,
    SET_UP_PASSKEY,
    DeviceChallenge,
    ValidationChallenge,
    about,
    in_words,
    public,
    selectable,
)
from doorward.identity.stages.models import AuthenticatorValidateStage, Preference, Stage
from doorward.identity.stages.view import Answer, Ask, Entered, Judged, Passed, Refused, Restart, StageView, Wrong

CANCELLED = gettext_noop("Too many wrong codes. Log in again.")
SUSPENDED = gettext_noop(
    "Too many wrong codes were typed for this account, so codes do not work for up to an hour. A passkey still does."
)
WRONG = FieldError("code", gettext_noop("Invalid Token"))
NO_KEY = FieldError("webauthn", gettext_noop("That did not work. Please try again."))
EMPTY = FieldError("non_field_errors", gettext_noop("Empty response"))
METHODS = {
    DeviceClass.WEBAUTHN: "user",
    DeviceClass.TOTP: "otp",
    DeviceClass.STATIC: "otp",
    DeviceClass.EMAIL: "otp",
}
"""RFC 8176 name of each class."""
SENT = "sent"
"""Note: the key of the factor that the last code of this login was sent to."""
ONE_MAILBOX = gettext_noop(
    "You came here through your mailbox, so a code that is sent there proves nothing more. "
    "Use a recovery code, or ask an administrator."
)


class AuthenticatorValidateView(StageView[AuthenticatorValidateStage]):
    component = "ak-stage-authenticator-validate"
    template: ClassVar[str] = "flows/authenticator_validate.html"

    def asks(self) -> bool:
        return not isinstance(self._arrived(), Passed)

    def enter(self) -> Entered:
        entered = self._arrived()
        return self._with_letter(entered) if isinstance(entered, Ask) else entered

    def _arrived(self) -> Entered:
        """What there is to ask, without sending anything yet."""
        plan = self.visit.plan
        user = self._user()
        if isinstance(user, Refused):
            return user
        if user is None:
            return self._ask_anybody()
        if SECOND_FACTOR in plan.methods or self._is_known(user):
            return Passed(plan.passed())
        devices = queries.usable(user, self._taken)
        if devices and not (devices := self._worth_asking(devices)):
            return Refused(ONE_MAILBOX, ("Codes by e-mail count beside a password only, never after recovery.",))
        return self._ask(user, devices) if devices else self._without_factor(user)

    def answer(self, answer: Answer) -> Judged:
        user = self._user()
        if isinstance(user, Refused):
            return user
        if user is not None and not queries.usable(user, self._taken):
            return self._chosen(user, answer.text("selected_stage"))
        if credential := answer.text("webauthn"):
            return self._shown(user, credential, answer)
        code = answer.either("code", "recovery_code", "mailed_code")
        if not code and user is not None and (device := self._mailbox_in(answer, user)) is not None:
            return self._sent(device)
        if not code:
            return Wrong((EMPTY,), counts=False)
        return self._typed(user, code, answer) if user is not None else Wrong((WRONG,))

    @property
    def _taken(self) -> list[str]:
        """The classes whose factors are good enough here."""
        classes: list[str] = self.stage.device_classes
        only = self.visit.plan.context.only_passkey
        return [each for each in classes if each == DeviceClass.WEBAUTHN] if only else classes

    # --- who -----------------------------------------------------------------------------------------------------

    def _user(self) -> User | Refused | None:
        """Whose factors to ask for; None for somebody unknown, whom a passkey may name."""
        plan = self.visit.plan
        if plan.proven is None:
            return visitor(self.visit.request) if plan.pending is None else None
        user = self.visit.proven_user()
        return user or Refused(_("This account cannot log in."), ("It was deactivated or deleted a moment ago.",))

    def _is_known(self, user: User) -> bool:
        """Whether this browser need not be asked. Whoever has to log in anew is always asked."""
        threshold = self._threshold()
        if not threshold or self.visit.plan.context.reauthenticate:
            return False
        if self.visit.plan.proven is not None:
            return remembered.is_remembered(self.visit.request, user, threshold)
        login = current(self.visit.request)
        return (
            login is not None
            and SECOND_FACTOR in login.methods
            and (METHODS[DeviceClass.WEBAUTHN] in login.methods or not self.visit.plan.context.only_passkey)
            and login.authenticated_at is not None
            and login.authenticated_at > timezone.now() - threshold
        )

    def _threshold(self) -> timedelta:
        return min(parse(self.stage.last_auth_threshold), remembered.LONGEST)

    def _worth_asking(self, devices: list[Device]) -> list[Device]:
        """Without letters where a letter is all there is to show so far: that would be one mailbox twice."""
        plan = self.visit.plan
        login = current(self.visit.request) if plan.proven is None else None
        if login.methods if login is not None else plan.methods:
            return devices
        return [device for device in devices if not isinstance(device, EmailDevice)]

    # --- asking --------------------------------------------------------------------------------------------------

    def _ask(self, user: User, devices: list[Device]) -> Ask:
        keys = [device for device in devices if isinstance(device, WebAuthnDevice)]
        asked: list[DeviceChallenge] = []
        if keys:  # one question for all of them: the browser knows which it has
            asked.append(about(keys[0], passkeys.asked_of(self.visit, self.stage, user)))
        asked.extend(about(device, public(device)) for device in devices if device not in keys)
        remember = self._threshold() if self.visit.plan.proven is not None else timedelta()
        return Ask(self._challenge(user, asked, remember_for=in_words(remember)))

    def _ask_anybody(self) -> Entered:
        asked = passkeys.offered(self.visit, self.stage)
        if asked is None:
            return Refused(_("No user was named."), ("Without a user before it, this stage takes passkeys only.",))
        challenge = DeviceChallenge(device_class=DeviceClass.WEBAUTHN, device_uid="-1", challenge=asked, last_used=None)
        return Ask(self._challenge(None, [challenge]))

    def _challenge(
        self,
        user: User | None,
        asked: list[DeviceChallenge],
        stages: list[Stage] | None = None,
        remember_for: str = "",
    ) -> ValidationChallenge:
        pending = self.visit.plan.pending
        return ValidationChallenge(
            component=self.component,
            flow_info=self.visit.flow_info(),
            pending_user=pending.identifier if pending else user.username if user else "",
            device_challenges=asked,
            configuration_stages=[selectable(stage) for stage in stages or ()],
            remember_for=remember_for,
            sent_to=self._sent_to(asked),
        )

    def _sent_to(self, asked: list[DeviceChallenge]) -> str:
        sent = self.visit.plan.notes.get(SENT, "")
        boxes = [each for each in asked if each.device_class == DeviceClass.EMAIL and each.device_uid == sent]
        return str(boxes[0].challenge["email"]) if boxes and isinstance(boxes[0].challenge, dict) else ""

    # --- letters -------------------------------------------------------------------------------------------------

    def _with_letter(self, ask: Ask) -> Entered:
        """Whoever has nothing but a mailbox gets a code without asking for it, once."""
        challenge = ask.challenge
        if not isinstance(challenge, ValidationChallenge) or SENT in self.visit.plan.notes:
            return ask
        boxes = challenge.mailboxes
        if not boxes or len(boxes) != len(challenge.device_challenges):
            return ask
        device = EmailDevice.objects.select_related("user").get(pk=int(boxes[0].device_uid))
        problem = code_letters.to_factor(self.visit, device)
        if problem:
            return ask
        asked = msgspec.structs.replace(challenge, sent_to=mailed_codes.masked(device.email))
        return Ask(asked, self.visit.plan.noting(SENT, str(device.pk)))

    def _mailbox_in(self, answer: Answer, user: User) -> EmailDevice | None:
        """The factor that the visitor wants a code for: a button of the page, or an API client's chosen challenge."""
        wanted = answer.text("send_code") or code_letters.chosen(answer.text("selected_challenge"))
        usable = self._worth_asking(queries.usable(user, self._taken))
        return next((box for box in usable if isinstance(box, EmailDevice) and str(box.pk) == wanted), None)

    def _sent(self, device: EmailDevice) -> Judged:
        problem = code_letters.to_factor(self.visit, device)
        if problem:
            return Wrong((FieldError("mailed_code", problem),), counts=False)
        return Wrong((), counts=False, plan=self.visit.plan.noting(SENT, str(device.pk)))

    # --- judging -------------------------------------------------------------------------------------------------

    def _typed(self, user: User, code: str, answer: Answer) -> Judged:
        match codes.use(self.visit.actor, user, code, self._classes(user), login=self.visit.plan.id):
            case codes.Used(device=device):
                return self._passed(user, device, answer)
            case codes.Suspended():
                return Wrong((FieldError("code", SUSPENDED, "suspended"),), counts=False)
            case codes.Wrong():
                credentials.failed(self.visit, self.stage, user, user.username, device_class="code")
        return Restart(CANCELLED) if self.visit.plan.failures + 1 >= PER_LOGIN else Wrong((WRONG,))

    def _classes(self, user: User) -> set[str]:
        worth = self._worth_asking(queries.usable(user, self._taken))
        return {str(device.CLASS) for device in worth}

    def _shown(self, user: User | None, credential: str, answer: Answer) -> Judged:
        if DeviceClass.WEBAUTHN not in self.stage.device_classes:
            return Wrong((NO_KEY,))
        if user is None:
            shown = passkeys.of_anybody(self.visit, self.stage, credential)
            if isinstance(shown, passkeys.Shown):
                return Passed(passkeys.logged_in_by(self.visit.plan, shown.user).passed())
            return shown or Wrong((NO_KEY,))
        must_verify = self.stage.webauthn_user_verification == Preference.REQUIRED
        own = passkeys.check(self.visit, self.stage, credential, user, must_verify=must_verify)
        return self._passed(user, own.device, answer) if own else Wrong((NO_KEY,))

    def _passed(self, user: User, device: Device, answer: Answer) -> Passed:
        plan, request = self.visit.plan, self.visit.request
        methods = (METHODS[device.CLASS], SECOND_FACTOR)
        if plan.proven is None:
            logins.strengthen(request, methods)
        elif answer.truth("remember_device") and self._threshold():
            remembered.remember(request, user, device, self._threshold())
        return Passed(plan.showing(*methods).passed())

    # --- nothing to ask for --------------------------------------------------------------------------------------

    def _without_factor(self, user: User) -> Entered:
        action = AuthenticatorValidateStage.NotConfiguredAction
        match self.stage.not_configured_action:
            case action.SKIP:
                return Passed(self.visit.plan.passed())
            case action.CONFIGURE:
                return self._set_up(user)
        return Refused(
            _("You need a second factor to log in here, and have none. Ask an administrator."),
            (f"“{self.stage.name}” denies users without a factor of its classes.",),
        )

    def _set_up(self, user: User) -> Entered:
        if queries.has_usable(user):
            return Refused(
                _("Your second factor is of a kind that is not taken here. Ask an administrator."),
                ("Whoever has a factor must show it before setting up another; this stage does not list theirs.",),
            )
        stages = self._set_up_stages()
        if not stages:
            return Refused(
                _("You need a second factor to log in here, and nothing is set up to make one. Ask an administrator."),
                (f"“{self.stage.name}” has no configuration stages.",),
            )
        if len(stages) == 1:
            return Passed(self._followed_by(stages[0]))
        return Ask(self._challenge(user, [], stages))

    def _chosen(self, user: User, key: str) -> Judged:
        if queries.has_usable(user):
            return Refused(_("Your second factor is of a kind that is not taken here. Ask an administrator."))
        chosen = next((stage for stage in self._set_up_stages() if str(stage.pk) == key), None)
        if chosen is None:
            return Wrong((FieldError("selected_stage", _("Choose one of these.")),), counts=False)
        return Passed(self._followed_by(chosen))

    def _set_up_stages(self) -> list[Stage]:
        kinds = [SET_UP_PASSKEY] if self.visit.plan.context.only_passkey else list(SET_UP_NAMES)
        return list(self.stage.configuration_stages.filter(kind__in=kinds).order_by("name"))

    def _followed_by(self, stage: Stage) -> Plan:
        return self.visit.plan.followed_by(Step(kind=stage.kind, stage=str(stage.pk))).passed()
