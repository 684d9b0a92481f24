"""What the forms of all kinds of policies share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms

from doorward.identity.policies.models import Policy
from doorward.identity.web.forms.stages.base import plain_fields, values_of

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class PolicyForm(forms.Form):
    """What all kinds have. A field stands under the name that the model has for it."""

    of: ClassVar[type[Policy]]
    """The kind."""
    title: ClassVar[str | _StrPromise]
    does: ClassVar[str | _StrPromise]
    """Whom a policy of this kind lets pass, as a sentence about it without its subject."""

    name = forms.CharField(max_length=150, help_text="What administrators find it under. Its visitors never see it.")

    def __init__(self, data: Any = None, *, policy: Policy | None = None) -> None:
        more = plain_fields(self.of, but=self.base_fields)
        super().__init__(data, initial=values_of(policy or self.of(), (*self.base_fields, *more)))
        self.fields.update(more)
