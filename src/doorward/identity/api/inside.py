"""The program itself at the door of its own API: what it writes is validated where everybody's writes are.

Blueprints are applied through the same resources as requests; so a rule stands in one place, and a resource that is
added to the API is a blueprint's model at once.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.http import HttpRequest, QueryDict
from rest_framework.request import Request

from doorward.identity.directory.models import User
from doorward.identity.directory.queries import superusers
from doorward.identity.events.actor import Actor

V = TypeVar("V")


class Inside(Request):
    """A request that nobody sent. Whoever makes one has established that a superuser, or the program, is acting.

    ``user`` is the superuser who acts; for the program itself the longest-serving one, whom objects that belong to
    somebody then belong to. Events name ``actor``.
    """

    def __init__(self, actor: Actor) -> None:
        plain = HttpRequest()
        plain.method = "POST"
        plain.GET = QueryDict("sure=true")
        super().__init__(plain)
        self.actor = actor
        self.user: Any = actor.user or superusers().filter(is_active=True).order_by("pk").first() or User()
        self.auth = None


def inside(view: type[V], actor: Actor, action: str) -> V:
    """A resource of the API that is asked to do ``action`` from inside."""
    made: Any = view()
    made.request = Inside(actor)
    made.action = action
    made.args, made.kwargs, made.format_kwarg = (), {}, None
    assert isinstance(made, view)
    return made
