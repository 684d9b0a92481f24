"""Which letters an e-mail stage can send: two that are built in, and those of the folder of templates."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from doorward.config import letters
from doorward.config.problems import nearest
from doorward.identity.mail.samples import words_for
from doorward.identity.stages.models import EmailStage


def choices(kept: str = "") -> list[tuple[str, str]]:
    """What the setting may say, each with its words. ``kept``: what it says now, though its file may be gone."""
    names = [*letters.OF_STAGES, *letters.own_names(settings.OWN_TEMPLATES)]
    found = [(_setting(name), _words(name)) for name in names]
    if kept and kept not in dict(found):
        found.append((kept, _("%(name)s: its file is gone") % {"name": kept}))
    return found


def require_known(template: str, stage: EmailStage | None) -> None:
    """Raise ValidationError for a letter that is not there; the one that ``stage`` names already is let be."""
    possible = dict(choices(stage.template if stage is not None else ""))
    if template not in possible:
        hint = nearest(template, possible)
        raise ValidationError(f"There is no template {template!r}; {hint or ', '.join(possible)}", "unknown")


def _setting(name: str) -> str:
    return f"{letters.FOLDER}/{name}.html"


def _words(name: str) -> str:
    return _(words_for(name)) if name in letters.LETTERS else _("Your own: %(name)s") % {"name": name}
