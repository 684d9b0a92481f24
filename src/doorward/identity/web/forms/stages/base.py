"""What the forms of all kinds of stages share: a name, and values that come from the stage and go back into it.

A kind's form names its model and declares one field for each setting, under the name that the model has for it.
Nothing else is needed: what a stage holds, or what a new one begins with, is read off the model. A setting that the
form does not declare gets a plain field, and a kind without a form of its own a plain form.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.db.models import Field, ManyToManyField, Model
from django.forms.models import fields_for_model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.flows.models import Flow
from doorward.identity.stages.models import Stage

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class StageForm(forms.Form):
    model: ClassVar[type[Stage]]
    title: ClassVar[str | _StrPromise]
    """What the kind is called."""
    does: ClassVar[str | _StrPromise]
    """What a stage of this kind does, as a sentence about it without its subject."""

    secret: ClassVar[frozenset[str]] = frozenset()
    """Settings that are written and never shown: a field that is left empty leaves them as they are."""

    name = forms.CharField(max_length=150, help_text="What administrators find it under. Its visitors never see it.")

    def __init__(self, data: Any = None, *, stage: Stage | None = None) -> None:
        more = plain_fields(self.model, but={*self.base_fields, *(f"sealed_{name}" for name in self.secret)})
        shown = [name for name in (*self.base_fields, *more) if name not in self.secret]
        super().__init__(data, initial=values_of(stage or self.model(), shown))
        self.fields.update(more)
        for name in self.secret:
            self.fields[name].required = stage is None

    @property
    def values(self) -> dict[str, Any]:
        """What was entered, ready to be written to the model."""
        return {name: value for name, value in self.cleaned_data.items() if value or name not in self.secret}


def values_of(instance: Model, names: Iterable[str]) -> dict[str, Any]:
    """What ``instance`` holds under these names; related objects as objects."""
    many = {field.name for field in instance._meta.many_to_many}
    stored = not instance._state.adding
    plain = {name: getattr(instance, name) for name in names if name not in many}
    return plain | {name: list(getattr(instance, name).all()) if stored else [] for name in names if name in many}


class ChosenField(forms.MultipleChoiceField):
    """Several of a few words, ticked; the model keeps them as a list."""

    widget = forms.CheckboxSelectMultiple


class RelatedField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Several related objects, ticked."""

    def __init__(self, queryset: Any, **options: Any) -> None:
        super().__init__(queryset, widget=forms.CheckboxSelectMultiple, **options)


class AnyFlowField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """A flow for one of some purposes, or none."""

    def __init__(self, *designations: Flow.Designation, **options: Any) -> None:
        found = Flow.objects.filter(designation__in=designations) if designations else Flow.objects.all()
        super().__init__(found, required=False, **{"empty_label": gettext_lazy("None"), **options})

    def label_from_instance(self, obj: Flow) -> str:
        """Titles are alike; the slug tells them apart."""
        return obj.slug


def plain_form(model: type[Stage]) -> type[StageForm]:
    """A form for a kind that has none of its own."""
    words = str(model._meta.verbose_name or model.KIND)
    about = {"model": model, "title": words.removesuffix(" stage").capitalize(), "does": _("Does what it is called")}
    return type(f"{model.__name__}Form", (StageForm,), about)


def plain_fields(model: type[Model], *, but: Container[str]) -> dict[str, forms.Field]:
    """A field for each column and relation of ``model`` itself, but for these."""
    own = [*model._meta.local_fields, *model._meta.local_many_to_many]
    wanted = [field.name for field in own if field.editable and not field.primary_key and field.name not in but]
    return fields_for_model(model, fields=wanted, formfield_callback=_field) if wanted else {}


def _field(column: Field[Any, Any], **options: Any) -> forms.Field | None:
    if isinstance(column, ManyToManyField):
        options["widget"] = forms.CheckboxSelectMultiple
    field: forms.Field | None = column.formfield(**options)
    if field is not None:
        field.help_text = field.help_text or _("What the API calls %(name)s.") % {"name": column.name}
    return field
