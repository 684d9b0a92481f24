"""The door of the API, which opens at the first knock.

The framework behind it takes a fifth of a second and some 20 MB, which an installation that nobody scripts never needs
to spend. So the map of resources (``routes``) is read when the first request comes, and not by ``include``, which
would read it at start, nor as a nested resolver, which the first ``{% url %}`` of any page would read.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.urls import get_resolver, re_path
from django.views.decorators.csrf import csrf_exempt

ROUTES = "doorward.identity.api.routes"


@csrf_exempt  # the API asks for the token itself, of those who come with a session (``authentication``)
def answer(request: HttpRequest, below: str) -> HttpResponseBase:
    """The answer of the resource at ``/api/v3/<below>``."""
    match = get_resolver(ROUTES).resolve(f"/{below}")
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return response


urlpatterns = [re_path(r"^(?P<below>.*)\Z", answer, name="api")]
