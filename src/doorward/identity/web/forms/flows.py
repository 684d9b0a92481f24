"""Create and change flows, and the places of stages in them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _

from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.policies.models import PolicyTarget
from doorward.identity.stages.models import Stage
from doorward.identity.web.forms.fields import plain_input

PURPOSES = {
    Flow.Designation.AUTHENTICATION: gettext_lazy("Logging in"),
    Flow.Designation.AUTHORIZATION: gettext_lazy("Entering an application"),
    Flow.Designation.INVALIDATION: gettext_lazy("Logging out"),
    Flow.Designation.ENROLLMENT: gettext_lazy("Making an account"),
    Flow.Designation.UNRENOLLMENT: gettext_lazy("Deleting one’s account"),
    Flow.Designation.RECOVERY: gettext_lazy("Recovering an account"),
    Flow.Designation.STAGE_CONFIGURATION: gettext_lazy("Setting something up"),
}
"""What each designation is for, in words."""
WHO = {
    Flow.Authentication.NONE: gettext_lazy("Everybody"),
    Flow.Authentication.REQUIRE_AUTHENTICATED: gettext_lazy("Whoever is logged in"),
    Flow.Authentication.REQUIRE_UNAUTHENTICATED: gettext_lazy("Whoever is not logged in"),
    Flow.Authentication.REQUIRE_SUPERUSER: gettext_lazy("Administrators"),
    Flow.Authentication.REQUIRE_REDIRECT: gettext_lazy("Whoever comes from another flow"),
    Flow.Authentication.REQUIRE_OUTPOST: gettext_lazy("Outposts"),
}
WHEN_REFUSED = {
    Flow.DeniedAction.MESSAGE_CONTINUE: gettext_lazy("On to where one was going, or a page that says so"),
    Flow.DeniedAction.MESSAGE: gettext_lazy("A page that says so"),
    Flow.DeniedAction.CONTINUE: gettext_lazy("On to where one was going"),
}
LAYOUTS = {
    Flow.Layout.STACKED: gettext_lazy("In the middle"),
    Flow.Layout.CONTENT_LEFT: gettext_lazy("On the left"),
    Flow.Layout.CONTENT_RIGHT: gettext_lazy("On the right"),
    Flow.Layout.SIDEBAR_LEFT: gettext_lazy("In a column on the left"),
    Flow.Layout.SIDEBAR_RIGHT: gettext_lazy("In a column on the right"),
}
WRONG_ANSWER = {
    FlowStageBinding.InvalidResponseAction.RETRY: gettext_lazy("Asks again"),
    FlowStageBinding.InvalidResponseAction.RESTART: gettext_lazy("Starts the flow over"),
    FlowStageBinding.InvalidResponseAction.RESTART_WITH_CONTEXT: gettext_lazy(
        "Starts the flow over, and remembers who it is"
    ),
}
_MODES = {
    PolicyTarget.EngineMode.ANY: gettext_lazy("One that says yes is enough"),
    PolicyTarget.EngineMode.ALL: gettext_lazy("All must say yes"),
}


class FlowForm(forms.Form):
    name = forms.CharField(max_length=150, help_text="What administrators call it.")
    title = forms.CharField(
        max_length=300, help_text="The heading of its pages. %(app)s stands for the application one is on the way to."
    )
    slug = forms.SlugField(
        max_length=50,
        required=False,
        widget=plain_input(**{"data-derives": "id_name"}),
        help_text="Its short name in addresses. Left empty, it is made from the name.",
    )
    designation = forms.ChoiceField(
        label="What it is for",
        choices=list(PURPOSES.items()),
        help_text="Where it can be chosen, and which rules of its own it follows.",
    )
    authentication = forms.ChoiceField(
        label="Who may start it", choices=list(WHO.items()), help_text="Asked before any group or user named below it."
    )
    denied_action = forms.ChoiceField(
        label="When somebody may not",
        choices=list(WHEN_REFUSED.items()),
        help_text="On the way into an application it is always the page.",
    )
    policy_engine_mode = forms.ChoiceField(
        label="When several groups or users are named",
        choices=list(_MODES.items()),
        widget=forms.RadioSelect,
        help_text="How the groups and users that it is bound to are counted together.",
    )
    layout = forms.ChoiceField(
        choices=list(LAYOUTS.items()), help_text="Where its pages stand on a wide screen. On a phone they fill it."
    )
    background = forms.CharField(
        max_length=2000,
        required=False,
        widget=plain_input(),
        help_text="Address of an image, told to programs that bring pages of their own. Our pages show none.",
    )
    compatibility_mode = forms.BooleanField(
        required=False, help_text=Flow._meta.get_field("compatibility_mode").help_text
    )

    def __init__(self, data: Any = None, *, flow: Flow | None = None) -> None:
        shown = flow or Flow()
        super().__init__(data, initial={name: getattr(shown, name) for name in self.base_fields})
        if flow is not None:
            self.fields["slug"].required = True
            self.fields["slug"].help_text = _("Its short name in addresses. Links with the old one lead nowhere then.")

    def clean(self) -> dict[str, Any]:
        """Make a slug where none was given."""
        values = self.cleaned_data
        if not values.get("slug") and "slug" not in self.errors and "name" in values:
            values["slug"] = _free_slug(values["name"])
        return values


def _free_slug(name: str) -> str:
    stem = slugify(name)[:45] or "flow"
    slug, number = stem, 2
    while Flow.objects.filter(slug=slug).exists():
        slug, number = f"{stem}-{number}", number + 1
    return slug


class PlaceForm(forms.Form):
    """How a stage stands in a flow."""

    order = forms.IntegerField(
        min_value=-1_000_000, max_value=1_000_000, help_text="Stages come in the order of these numbers."
    )
    evaluate_on_plan = forms.BooleanField(
        label="Judge who it is for when the flow begins",
        required=False,
        help_text="Then nobody is known yet, unless they are logged in already.",
    )
    re_evaluate_policies = forms.BooleanField(
        label="Judge who it is for when it is reached",
        required=False,
        help_text="Then it is known who was named before. Without either, the stage is for everybody.",
    )
    invalid_response_action = forms.ChoiceField(
        label="After a wrong answer",
        choices=list(WRONG_ANSWER.items()),
        help_text="A password or a code that is not right, a field that does not do.",
    )
    policy_engine_mode = forms.ChoiceField(
        label="When several groups or users are named",
        choices=list(_MODES.items()),
        widget=forms.RadioSelect,
        help_text="How the groups and users that the stage is for are counted together.",
    )

    def __init__(self, data: Any = None, *, binding: FlowStageBinding | None = None) -> None:
        shown = binding or FlowStageBinding()
        names = [name for name in self.base_fields if name != "stage"]
        super().__init__(data, initial={name: getattr(shown, name) for name in names})


class NewPlaceForm(PlaceForm):
    order = None  # type: ignore[assignment]  # behind the last one
    stage = forms.ModelChoiceField(
        Stage.objects.all(),
        empty_label=gettext_lazy("Choose a stage"),
        help_text="It comes behind the others; move it from there. One stage may stand in many flows.",
    )
    field_order = ["stage"]


class MoveForm(forms.Form):
    by = forms.TypedChoiceField(choices=[("-1", gettext_lazy("up")), ("1", gettext_lazy("down"))], coerce=int)
