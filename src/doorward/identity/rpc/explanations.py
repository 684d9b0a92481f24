"""Questions of the command line: why was this refused, why may somebody enter, what does an application receive?"""

from __future__ import annotations

import msgspec

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.rpc.answer import NOT_FOUND, Answer
from doorward.messages.explanations import ExplainAccess, ExplainDecision, ShowHeaders


def decision(question: ExplainDecision) -> Answer:
    """A list of Explanation; 404 when nothing is known, 503 when the control process does not answer."""
    from doorward.identity.explain import data_plane, decisions

    try:
        found = decisions.explained(question.id)
    except data_plane.Unavailable:
        return Answer(503)
    return Answer(200, msgspec.msgpack.encode(found)) if found else NOT_FOUND


def access(question: ExplainAccess) -> Answer:
    """404 with the name of what there is none of."""
    from doorward.identity.explain.access import access_now

    application, user = _named(question.application, question.user)
    if application is None or user is None:
        return _nobody(application, question.application, question.user)
    return Answer.of(access_now(application, user))


def headers(question: ShowHeaders) -> Answer:
    """404 with the name of what there is none of; 409 when the application has no proxy provider."""
    from doorward.identity.explain.headers import NotProxied, contract

    application, user = _named(question.application, question.user)
    if application is None or user is None:
        return _nobody(application, question.application, question.user)
    try:
        return Answer.of(contract(application, user, path=question.path, spoof=question.spoof))
    except NotProxied as error:
        return Answer(409, msgspec.msgpack.encode(str(error)))


def _named(slug: str, username: str) -> tuple[Application | None, User | None]:
    application = Application.objects.filter(slug=slug).first()
    if username:
        return application, User.objects.filter(username=username).first()
    administrators = User.objects.filter(is_active=True, groups__is_superuser=True).order_by("pk")
    return application, administrators.first()


def _nobody(application: Application | None, slug: str, username: str) -> Answer:
    if application is None:
        known = ", ".join(Application.objects.order_by("slug").values_list("slug", flat=True)[:20])
        return Answer(404, msgspec.msgpack.encode(f"there is no application “{slug}”; there are: {known or 'none'}"))
    return Answer(404, msgspec.msgpack.encode(f"there is no user “{username}”"))
