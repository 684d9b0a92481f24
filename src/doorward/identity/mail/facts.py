"""What a letter tells its own template: plain texts, in the language of the letter, and never an object.

The built-in templates are ours and see the objects themselves; those of an administrator see what stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import formats
from django.utils.translation import gettext as _

from doorward.identity.directory.models import User

if TYPE_CHECKING:
    from doorward.config.letters import Letter
    from doorward.identity.access_requests.models import AccessRequest

_PLAIN = ("title", "logo", "language", "url", "minutes", "code", "what", "severity")
DAY = "j F Y"
MOMENT = "j F Y, H:i:s"


def facts(letter: Letter, context: Mapping[str, object]) -> dict[str, str]:
    """A text for each of the letter's variables; empty where ``context`` says nothing."""
    known = {name: str(context[name]) for name in _PLAIN if name in context}
    known["site"] = settings.EXTERNAL_URL
    if isinstance(user := context.get("user"), User):
        known |= {"name": user.name or user.username, "username": user.username, "email": user.email}
    if isinstance(expires := context.get("expires"), datetime):
        known["expires"] = formats.date_format(expires, _(DAY))
    if isinstance(created := getattr(context.get("event"), "created", None), datetime):
        known["created"] = formats.date_format(created, _(MOMENT))
    if (request := context.get("request")) is not None:
        known |= _of_request(request)  # type: ignore[arg-type]  # only letters about requests have one
    return {name: known.get(name, "") for name in letter.variables}


def _of_request(request: AccessRequest) -> dict[str, str]:
    ended = request.status not in (request.Status.APPROVED, request.Status.DENIED)
    return {
        "who": request.user.username,
        "application": request.application.name,
        "until": f"{request.until:%Y-%m-%d %H:%M}" if request.until else "",
        "reason": request.reason,
        "answer": request.answer,
        "approved": "yes" if request.status == request.Status.APPROVED else "",
        "denied": "yes" if request.status == request.Status.DENIED else "",
        "ended": "yes" if ended else "",
    }
