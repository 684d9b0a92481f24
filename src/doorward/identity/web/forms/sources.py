"""What the forms of all sources share whose people come by a browser: names, flows, who is meant, groups.

A kind's form names its model and adds its own fields; values come from the source and go back into it by the names of
the model's fields, as with stages.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _

from doorward.identity.flows import defaults
from doorward.identity.flows.models import Flow
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.policies.models import PolicyTarget
from doorward.identity.sources.models import Source, SourceMapping
from doorward.identity.web.forms.fields import plain_input
from doorward.identity.web.forms.stages.base import AnyFlowField, RelatedField, values_of

MATCHING = [
    (Source.UserMatching.IDENTIFIER, gettext_lazy("Is somebody new, whatever name or address they have")),
    (
        Source.UserMatching.EMAIL_LINK,
        gettext_lazy(
            "Is whoever has the same e-mail address here. By itself only if the provider says that the address is "
            "proven, it is proven here, and the account gives no rights; anybody else first logs in as before, and "
            "says yes"
        ),
    ),
    (Source.UserMatching.EMAIL_DENY, gettext_lazy("Is refused, if somebody here has the same e-mail address")),
    (
        Source.UserMatching.USERNAME_LINK,
        gettext_lazy("Is whoever has the same user name here, once they have logged in as before and said yes"),
    ),
    (Source.UserMatching.USERNAME_DENY, gettext_lazy("Is refused, if somebody here has the same user name")),
]
GROUPS = [
    (Source.GroupMatching.IDENTIFIER, gettext_lazy("Is another group: it is left out until somebody connects the two")),
    (Source.GroupMatching.NAME_LINK, gettext_lazy("Is the same group, unless that gives rights here")),
    (Source.GroupMatching.NAME_DENY, gettext_lazy("Is left out")),
]
_MODES = [
    (PolicyTarget.EngineMode.ANY, gettext_lazy("One that says yes is enough")),
    (PolicyTarget.EngineMode.ALL, gettext_lazy("All must say yes")),
]


class Section(NamedTuple):
    """Fields that belong together."""

    heading: str
    """Empty for those on top."""
    fields: list[BoundField]
    folded: bool
    """Whether they are rarely needed, and none of them is wrong."""


class SourceForm(forms.Form):
    model: ClassVar[type[Source]]
    titled: str
    """What such a source is called."""
    register_at: str = ""
    """Where its provider registers clients, if that is known."""
    secret: ClassVar[frozenset[str]] = frozenset()
    """Fields that are written and never shown: left empty, they stay as they are."""
    sections_of: ClassVar[tuple[tuple[str, tuple[str, ...], bool], ...]] = ()
    """Heading, names and whether they are rarely needed, of what the kind itself has; ``COMMON`` follows."""

    COMMON: ClassVar[tuple[tuple[str, tuple[str, ...], bool], ...]] = (
        (
            gettext_lazy("Who comes in"),
            ("user_matching_mode", "enrollment_flow", "authentication_flow", "user_property_mappings"),
            False,
        ),
        (
            gettext_lazy("Look, groups, and what is rarely needed"),
            (
                "promoted", "icon", "group_matching_mode", "group_property_mappings", "user_path_template",
                "policy_engine_mode",
            ),
            True,
        ),
    )  # fmt: skip

    name = forms.CharField(max_length=150, help_text="What the button on the login page says.")
    slug = forms.SlugField(
        max_length=50,
        widget=plain_input(),
        help_text="Its short name. The addresses that the provider has to know contain it.",
    )
    enabled = forms.BooleanField(label="In use", required=False, help_text="Nobody comes through it otherwise.")
    promoted = forms.BooleanField(
        label="A wide button on the login page", required=False, help_text="In front of those that are not."
    )
    icon = forms.CharField(
        max_length=2000,
        required=False,
        widget=plain_input(),
        help_text="The picture on its button: a path of this host, or an https address. Empty: one of ours.",
    )
    user_matching_mode = forms.ChoiceField(
        label="Whoever comes for the first time",
        choices=MATCHING,
        widget=forms.RadioSelect,
        help_text="Whoever has come before, or has connected the account on their own page, is known by the "
        "provider’s identifier, and by nothing else.",
    )
    authentication_flow = AnyFlowField(
        Flow.Designation.AUTHENTICATION,
        label="Flow for whoever is known",
        help_text="Usually default-source-authentication. With none, nobody logs in through it.",
    )
    enrollment_flow = AnyFlowField(
        Flow.Designation.ENROLLMENT,
        label="Flow for whoever is new",
        help_text="Usually default-source-enrollment. With none, nobody gets an account through it.",
    )
    user_property_mappings = RelatedField(
        SourceMapping.objects.none(),
        label="Mappings of people",
        required=False,
        help_text="They turn what the provider says into user name, name, address, attributes and groups. None: the "
        "usual.",
    )
    group_matching_mode = forms.ChoiceField(
        label="A group there that is called as one here", choices=GROUPS, widget=forms.RadioSelect
    )
    group_property_mappings = RelatedField(SourceMapping.objects.none(), label="Mappings of groups", required=False)
    user_path_template = forms.CharField(
        label="Path of those it brings",
        max_length=500,
        widget=plain_input(),
        help_text="%(slug)s stands for the slug.",
    )
    policy_engine_mode = forms.ChoiceField(
        label="When several groups, users or policies say whom it is for", choices=_MODES, widget=forms.RadioSelect
    )

    def __init__(
        self, data: Any = None, *, source: Source | None = None, initial: dict[str, Any] | None = None
    ) -> None:
        self.source = source
        shown = [name for name in self.base_fields if name not in self.secret]
        values = values_of(source or self.model(), shown)
        if source is None:
            values |= {
                "authentication_flow": Flow.objects.filter(slug=defaults.SOURCE_AUTHENTICATION).first(),
                "enrollment_flow": Flow.objects.filter(slug=defaults.SOURCE_ENROLLMENT).first(),
                **(initial or {}),
            }
        super().__init__(data, initial=values)
        for name in ("user_property_mappings", "group_property_mappings"):
            self.fields[name].queryset = SourceMapping.objects.filter(kind=self.model.KIND)  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        """Raises ValidationError for one that another source has."""
        return self._own("name", _("There is a source of this name already."))

    def clean_slug(self) -> str:
        """Raises ValidationError for one that another source has."""
        return self._own("slug", _("There is a source with this slug already."))

    def _own(self, name: str, problem: str) -> str:
        value: str = self.cleaned_data[name]
        others = Source.objects.exclude(pk=self.source.pk) if self.source is not None else Source.objects.all()
        if others.filter(**{name: value}).exists():
            raise ValidationError(problem, "taken")
        return value

    @property
    def sections(self) -> list[Section]:
        """The form as it is shown; what no section names stands on top."""
        parts = [*self.sections_of, *self.COMMON]
        named = {name for _, names, _ in parts for name in names}
        first = ("", tuple(name for name in self.fields if name not in named), False)
        found = []
        for heading, names, rare in (first, *parts):
            fields = [self[name] for name in names if name in self.fields]
            if fields:
                found.append(Section(heading, fields, rare and not any(field.errors for field in fields)))
        return found

    @property
    def changes(self) -> dict[str, Any]:
        """What was entered, ready to be written."""
        return {name: value for name, value in self.cleaned_data.items() if value or name not in self.secret}
