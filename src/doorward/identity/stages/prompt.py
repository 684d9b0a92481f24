"""Asks for whatever its fields say, and keeps the answers in the plan for the stages behind it."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

import msgspec
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from msgspec import Struct, structs

from doorward.identity.crypto import vault
from doorward.identity.directory.errors import Busy
from doorward.identity.directory.models import User
from doorward.identity.flows.plan import FieldError, Plan
from doorward.identity.policies import password_rules
from doorward.identity.policies.models import PasswordPolicy
from doorward.identity.stages import invitations, prompt_fields, subjects
from doorward.identity.stages.models import Prompt, PromptStage
from doorward.identity.stages.prompt_fields import READ_ONLY, SHOWS_ONLY, Value
from doorward.identity.stages.view import (
    Answer,
    Ask,
    Challenge,
    Elsewhere,
    Entered,
    Judged,
    Malformed,
    Passed,
    Refused,
    StageView,
    Wrong,
)

TYPED = "typed"
"""Note of what was typed before an error, so that it need not be typed again; never a password."""


class PromptChoice(Struct, frozen=True):
    value: str
    label: str


class StagePrompt(Struct, frozen=True, kw_only=True):
    field_key: str
    label: str
    type: str
    required: bool
    placeholder: str
    initial_value: str
    order: int
    sub_text: str
    choices: list[PromptChoice] | None

    @property
    def input_type(self) -> str:
        return prompt_fields.INPUTS.get(Prompt.Type(self.type), "text")


class PromptChallenge(Challenge, frozen=True, kw_only=True):
    fields: list[StagePrompt]


class PromptView(StageView[PromptStage]):
    component = "ak-stage-prompt"
    template: ClassVar[str] = "flows/prompt.html"

    def enter(self) -> Entered:
        prompts, typed = self._prompts(), self._typed()
        if (closed := self._closed()) is not None:
            return closed
        return Ask(
            PromptChallenge(
                component=self.component,
                flow_info=self.visit.flow_info(),
                fields=[self._shown(prompt, typed) for prompt in prompts],
            )
        )

    def answer(self, answer: Answer) -> Judged:
        if (closed := self._closed()) is not None:
            return closed
        values, errors = self._read(answer)
        try:
            errors = errors or self._judged(values)
        except Busy:
            return Malformed(_("Many people are choosing passwords right now. Try again in a few seconds."), 429)
        if errors:
            return Wrong(tuple(errors), plan=self.visit.plan.noting(TYPED, self._kept(answer)))
        return Passed(self._with(values).passed())

    def _closed(self) -> Elsewhere | Refused | None:
        """A browser that was left open must not be able to choose a password."""
        return subjects.must_prove_again(self.visit) if self._secret_keys() else None

    def _prompts(self) -> list[Prompt]:
        """As this visitor sees them: what they may not change of themselves is read-only."""
        found = list(self.stage.fields.all())
        user = subjects.subject(self.visit)
        if user is not None and subjects.is_self_service(self.visit):
            for prompt in found:
                if prompt.field_key in subjects.CAN_CHANGE and not subjects.may_change(user, prompt.field_key):
                    prompt.type = Prompt.Type.TEXT_READ_ONLY
        for prompt in found:
            if (
                prompt.field_key in self._fixed
                and prompt.type not in SHOWS_ONLY
                and prompt.type != Prompt.Type.PASSWORD
            ):
                prompt.type = Prompt.Type.TEXT_READ_ONLY
        return found

    @cached_property
    def _fixed(self) -> dict[str, Value]:
        """What an invitation has fixed about whoever it invites."""
        plan = self.visit.plan
        invitation = invitations.good(plan.invitation, self.visit.flow) if plan.invitation else None
        return invitations.fixed_by(invitation) if invitation else {}

    def _shown(self, prompt: Prompt, typed: dict[str, str]) -> StagePrompt:
        choices = prompt_fields.choices(prompt)
        secret = prompt.type == Prompt.Type.PASSWORD
        return StagePrompt(
            field_key=prompt.field_key,
            label=_(prompt.label),
            type=prompt.type,
            required=prompt.required,
            placeholder="" if choices else _(prompt.placeholder),
            initial_value="" if secret else typed.get(prompt.field_key, self._initial(prompt)),
            order=prompt.order,
            sub_text=_(prompt.sub_text),
            choices=[PromptChoice(choice.value, choice.label) for choice in choices] if choices else None,
        )

    def _initial(self, prompt: Prompt) -> str:
        """What the user has already, else what the prompt says."""
        if prompt.field_key in self._fixed:
            return str(self._fixed[prompt.field_key])
        arrival = self.visit.plan.context.arrival
        said = arrival.prompt_data().get(prompt.field_key, "") if arrival is not None else ""
        if said and prompt.type not in SHOWS_ONLY and not prompt.initial_value:
            return str(said)
        user = subjects.subject(self.visit)
        if user is None or prompt.initial_value or prompt.type in SHOWS_ONLY:
            return prompt.initial_value
        if prompt.field_key == "locale":
            settings = user.attributes.get("settings")
            return str(settings.get("locale", "")) if isinstance(settings, dict) else ""
        return str(getattr(user, prompt.field_key)) if prompt.field_key in subjects.CAN_CHANGE else ""

    def _read(self, answer: Answer) -> tuple[dict[str, Value], list[FieldError]]:
        values: dict[str, Value] = {}
        errors: list[FieldError] = []
        user = subjects.subject(self.visit)
        for prompt in self._prompts():
            if prompt.type in SHOWS_ONLY:
                continue
            if prompt.type in READ_ONLY:
                values[prompt.field_key] = self._initial(prompt)
                continue
            try:
                value = prompt_fields.read(prompt, answer.text(prompt.field_key), user)
            except ValidationError as error:
                code = str(getattr(error, "code", None) or "invalid")
                errors.append(FieldError(prompt.field_key, error.messages[0], code))
            else:
                if value is not None:
                    values[prompt.field_key] = value
        return values, errors or self._different(values)

    def _different(self, values: dict[str, Value]) -> list[FieldError]:
        """All passwords of a page are the same one, typed again."""
        keys = self._secret_keys()
        if len({values.get(key) for key in keys}) > 1:
            return [FieldError(keys[-1], _("Passwords don't match."))]
        return []

    def _judged(self, values: dict[str, Value]) -> list[FieldError]:
        """What the policies say about the password."""
        user: User | None = subjects.subject(self.visit)
        policies = list(self.stage.validation_policies.all())
        errors: list[FieldError] = []
        for key in self._secret_keys()[:1]:
            mine = [policy for policy in policies if policy.password_field == key]
            password = str(values.get(key, ""))
            if key == "password":
                mine = _once([*mine, *password_rules.in_force()])
            about = user or User(username=str(values.get("username", "")), email=str(values.get("email", "")))
            sentences = password_rules.refusals(mine, password, about) if password else []
            errors += [FieldError(key, sentence) for sentence in sentences]
        return errors

    def _secret_keys(self) -> list[str]:
        return [prompt.field_key for prompt in self.stage.fields.filter(type=Prompt.Type.PASSWORD)]

    def _with(self, values: dict[str, Value]) -> Plan:
        plan, secret = self.visit.plan, set(self._secret_keys())
        sealed = {key: seal(plan, key, str(value)) for key, value in values.items() if key in secret}
        plain = {key: value for key, value in values.items() if key not in secret}
        return structs.replace(
            plan, prompt_data={**plan.prompt_data, **plain}, sealed_data={**plan.sealed_data, **sealed}
        )

    def _kept(self, answer: Answer) -> str:
        secret = set(self._secret_keys())
        keys = [prompt.field_key for prompt in self.stage.fields.all() if prompt.field_key not in secret]
        return msgspec.json.encode({key: answer.text(key)[: prompt_fields.LONGEST] for key in keys}).decode()

    def _typed(self) -> dict[str, str]:
        note = self.visit.plan.notes.get(TYPED)
        return msgspec.json.decode(note, type=dict[str, str]) if note else {}


def seal(plan: Plan, key: str, value: str) -> str:
    """A secret as it waits in a plan: bound to the plan and its field."""
    return vault.seal(value, f"plan.sealed_data:{plan.id}:{key}")


def unseal(plan: Plan, key: str) -> str:
    """The secret answer to ``key``; empty if there is none. Raises vault.Unreadable."""
    sealed = plan.sealed_data.get(key)
    return vault.unseal(sealed, f"plan.sealed_data:{plan.id}:{key}") if sealed else ""


def _once(policies: list[PasswordPolicy]) -> list[PasswordPolicy]:
    return list({policy.pk: policy for policy in policies}.values())
