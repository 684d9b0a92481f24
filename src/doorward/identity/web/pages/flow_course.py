"""A flow drawn as what it is: stages in their order, for whom each of them is, and when that is judged."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.policies.models import PolicyBinding, PolicyTarget
from doorward.identity.stages.models import Stage, UserLoginStage
from doorward.identity.web.forms.flows import WRONG_ANSWER
from doorward.identity.web.forms.stages.registry import does

NEVER, PLANNED, REACHED, BOTH = "never", "planned", "reached", "both"
JUDGED = {
    PLANNED: gettext_noop("when the flow begins"),
    REACHED: gettext_noop("when it is reached"),
    BOTH: gettext_noop("when the flow begins, and again when it is reached"),
}


@dataclass(frozen=True, slots=True)
class Station:
    """One stage on the way."""

    binding: FlowStageBinding
    stage: Stage
    does: str
    who: tuple[PolicyBinding, ...]
    """The enabled bindings: for whom the stage is. None: for everybody."""
    all_of_them: bool
    judged: str
    """When ``who`` is judged, in words; empty when it never is."""
    wrong_answer: str
    first: bool
    last: bool

    @property
    def is_ignored(self) -> bool:
        """Somebody is named, and nobody looks at it."""
        return bool(self.who) and not self.judged


@dataclass(frozen=True, slots=True)
class Course:
    stations: tuple[Station, ...]
    end: str
    """What comes after the last stage, in words."""


def course_of(flow: Flow) -> Course:
    """The flow's course."""
    bindings = list(
        flow.stage_bindings.select_related("stage")
        .prefetch_related("bindings__group", "bindings__user", "bindings__policy")
        .order_by("order", "pk")
    )
    stations = tuple(
        station(binding, first=number == 0, last=number == len(bindings) - 1) for number, binding in enumerate(bindings)
    )
    return Course(stations, _end(flow, bindings))


def station(binding: FlowStageBinding, *, first: bool = True, last: bool = True) -> Station:
    """One place of the flow, in words."""
    when = {
        (False, False): NEVER,
        (True, False): PLANNED,
        (False, True): REACHED,
        (True, True): BOTH,
    }[binding.evaluate_on_plan, binding.re_evaluate_policies]
    return Station(
        binding=binding,
        stage=binding.stage,
        does=does(binding.stage.kind),
        who=tuple(each for each in binding.bindings.all() if each.enabled),
        all_of_them=binding.policy_engine_mode == PolicyTarget.EngineMode.ALL,
        judged=_(JUDGED[when]) if when in JUDGED else "",
        wrong_answer=str(WRONG_ANSWER[FlowStageBinding.InvalidResponseAction(binding.invalid_response_action)]),
        first=first,
        last=last,
    )


def _end(flow: Flow, bindings: list[FlowStageBinding]) -> str:
    match flow.designation:
        case Flow.Designation.AUTHENTICATION if not any(
            binding.stage.kind == UserLoginStage.KIND for binding in bindings
        ):
            return _("Nowhere: no stage logs anybody in")
        case Flow.Designation.AUTHENTICATION | Flow.Designation.ENROLLMENT:
            return _("On to where one was going, or the library")
        case Flow.Designation.AUTHORIZATION:
            return _("Into the application")
        case Flow.Designation.INVALIDATION:
            return _("Logged out: what else one can do")
    return _("Back to where one came from")
