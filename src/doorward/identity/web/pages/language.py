"""``/if/language/``: what the list at the foot of the login pages, and the one on the account page, lead to."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from doorward.identity.flows.next_url import safe_next
from doorward.identity.languages.actions import choose
from doorward.identity.languages.choice import supported


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """For everybody, strangers too: it only changes how pages are worded. What we do not speak counts as no choice."""
    response = HttpResponseRedirect(safe_next(request.POST.get("next", "")) or "/")
    response.status_code = 303
    choose(request, response, supported(request.POST.get("language", "")[:35]))
    return response
