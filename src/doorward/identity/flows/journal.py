"""What happens in a flow while an administrator watches: the inspector's record, kept in their session.

A journal is opened by a superuser, for one flow on the way to one destination. From then on every stage that is
asked, passed, left out or refused adds an entry: the plan as it was then, with its secrets redacted, and what each
binding said. For everybody else nothing is recorded; as soon as the session belongs to somebody who is no superuser,
nothing is added any more and nothing is read.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable

import msgspec
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from msgspec import Struct, structs

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.events import redaction
from doorward.identity.flows.models import FlowStageBinding
from doorward.identity.flows.plan import Plan, Step
from doorward.identity.flows.visitor import visitor
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.models import PolicyBinding, PolicyTarget
from doorward.identity.policies.queries import memberships, weighed

KEY = "flows.journals"
MOST = 3
"""Journals of one session; the oldest goes."""
MOST_ENTRIES = 60
LONGEST = 60 * 60
"""Seconds after which a journal is closed."""
_HEARD = "_flow_journal_heard"
"""Attribute of a request: what was judged since the last entry."""

PLANNED, ASKED, PASSED, LEFT_OUT, WRONG = "planned", "asked", "passed", "left_out", "wrong"
REFUSED, RESTARTED, ELSEWHERE, FINISHED = "refused", "restarted", "elsewhere", "finished"


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    """What one binding said about whoever was judged."""

    what_for: str
    """``flow`` or the name of a stage."""
    passing: bool
    reason: str
    enabled: bool = True


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    what: str
    """One of the words above."""
    at: float
    kind: str = ""
    """Kind of the stage; empty for the flow as a whole."""
    stage: str = ""
    """Its name."""
    binding: str = ""
    """Key of its place in the flow; empty where no operator bound it."""
    following: str = ""
    """The same of the stage behind it."""
    note: str = ""
    said: tuple[Said, ...] = ()
    context: dict[str, object] = {}
    """The plan at that moment, for people: secrets are stars."""


class Journal(Struct, frozen=True, forbid_unknown_fields=True):
    flow: str
    next: str
    opened: float
    id: str = ""
    """Names the plan to people; it opens nothing."""
    entries: tuple[Entry, ...] = ()

    @property
    def is_completed(self) -> bool:
        """Nothing comes after the last entry."""
        return bool(self.entries) and self.entries[-1].what in (REFUSED, ELSEWHERE, FINISHED)


_decoder = msgspec.json.Decoder(tuple[Journal, ...])


def open_for(request: HttpRequest, flow_slug: str, next_url: str, *, anew: bool = False) -> bool:
    """Record this flow on the way to ``next_url`` from now on. False, and nothing, for whoever is no superuser."""
    if not _may_watch(request):
        return False
    known = _read(request.session)
    here = [each for each in known if (each.flow, each.next) == (flow_slug, next_url)]
    if here and not anew:
        return True
    others = tuple(each for each in known if each not in here)
    _write(request.session, (*others[-(MOST - 1) :], Journal(flow_slug, next_url, time.time())))
    return True


def is_kept(request: HttpRequest) -> bool:
    """Whether anything is recorded in this session at all."""
    return KEY in request.session


def latest(request: HttpRequest, flow_slug: str, next_url: str | None = None) -> Journal | None:
    """The newest journal of this flow (to this destination); None for whoever is no superuser."""
    if KEY not in request.session or not _may_watch(request):
        return None
    found = [each for each in _read(request.session) if each.flow == flow_slug]
    if next_url is not None:
        found = [each for each in found if each.next == next_url]
    return found[-1] if found else None


def hear(request: HttpRequest, target: PolicyTarget, user: User | None, asked: Asked) -> None:
    """The bindings of ``target`` were judged: what each of them says goes into the next entry."""
    if KEY not in request.session:
        return
    heard: list[Said] = getattr(request, _HEARD, [])
    heard += _said(target, user, asked)
    setattr(request, _HEARD, heard)


def note(request: HttpRequest, plan: Plan, what: str, text: str = "", *, reasons: Iterable[str] = ()) -> None:
    """Something happened at the current step of ``plan`` (behind the last: to the plan as a whole)."""
    if KEY not in request.session or not _may_watch(request):
        return
    journals = _read(request.session)
    place = next((n for n, each in enumerate(journals) if (each.flow, each.next) == (plan.flow, plan.next)), None)
    if place is None:
        return
    journal = journals[place]
    said = tuple(getattr(request, _HEARD, []))
    setattr(request, _HEARD, [])
    words = [str(each) for each in (text, *reasons)]  # translations may come as lazy texts
    entry = _entry(plan, what, " ".join(words).strip(), said)
    if journal.entries and _same_page(journal.entries[-1], entry):
        return  # the page was looked at once more
    journal = structs.replace(
        journal,
        id=hashlib.sha256(plan.id.encode()).hexdigest(),
        entries=(*journal.entries, entry)[-MOST_ENTRIES:],
    )
    _write(request.session, (*journals[:place], journal, *journals[place + 1 :]))


def follow(request: HttpRequest, plan: Plan, fresh: Plan) -> None:
    """``plan`` hands over to ``fresh``: whoever watches the one watches the other."""
    if KEY in request.session and latest(request, plan.flow, plan.next) is not None:
        open_for(request, fresh.flow, fresh.next, anew=True)


def _may_watch(request: HttpRequest) -> bool:
    user = visitor(request)
    return user is not None and user.is_active and user.is_superuser


def _same_page(former: Entry, entry: Entry) -> bool:
    return entry.what == ASKED and structs.replace(former, at=0, said=()) == structs.replace(entry, at=0, said=())


def _said(target: PolicyTarget, user: User | None, asked: Asked) -> list[Said]:
    place = FlowStageBinding.objects.filter(pk=target.pk).select_related("stage").first()
    name = place.stage.name if place else "flow"
    bindings = list(PolicyBinding.objects.filter(target_id=target.pk).select_related("user", "group", "policy"))
    subject = user or AnonymousUser()
    groups = memberships(subject)
    weighing = ((binding, weighed(binding, subject, groups, asked)) for binding in bindings)
    return [Said(name, said.passing, said.reason, enabled=binding.enabled) for binding, said in weighing]


def _entry(plan: Plan, what: str, text: str, said: tuple[Said, ...]) -> Entry:
    step, following = plan.step, plan.steps[plan.position + 1 : plan.position + 2]
    return Entry(
        what=what,
        at=time.time(),
        kind=step.kind if step else "",
        stage=_name_of(step),
        binding=step.binding if step else "",
        following=following[0].binding if following else "",
        note=text,
        said=said,
        context=context_of(plan),
    )


def _name_of(step: Step | None) -> str:
    if step is None:
        return ""
    place = FlowStageBinding.objects.filter(pk=step.binding).select_related("stage").first() if step.binding else None
    return place.stage.name if place else step.kind


def context_of(plan: Plan) -> dict[str, object]:
    """What the plan knows, under authentik's names. What was typed as a secret, or opens something, is stars."""
    context: dict[str, object] = {"redirect": _without_query(plan.context.continuation or plan.next)}
    if plan.pending is not None:
        user = User.objects.filter(pk=plan.pending.user).first() if plan.pending.user is not None else None
        context["pending_user_identifier"] = plan.pending.identifier
        context["pending_user"] = {"pk": user.pk, "username": user.username} if user else None
    context["is_authenticated"] = plan.proven is not None
    context["auth_method"] = list(plan.methods)
    if plan.context.application:
        application = Application.objects.filter(pk=plan.context.application).first()
        context["application"] = application.name if application else None
        context["scopes"] = [scope.name for scope in plan.context.scopes]
    if plan.prompt_data or plan.sealed_data:
        sealed = dict.fromkeys(plan.sealed_data, redaction.REDACTED)
        context["prompt_data"] = {**_cleaned(plan.prompt_data), **sealed}
    if plan.invitation:
        context["invitation"] = redaction.REDACTED
    if plan.notes:
        context["notes"] = dict.fromkeys(plan.notes, redaction.REDACTED)
    if plan.failures:
        context["failures"] = plan.failures
    return context


def _cleaned(data: dict[str, str | bool | int | float]) -> dict[str, object]:
    cleaned = redaction.clean(data)
    assert isinstance(cleaned, dict)
    return cleaned


def _without_query(url: str) -> str:
    """What follows the question mark belongs to whoever asked (``state``, ``nonce``)."""
    path, mark, _ = url.partition("?")
    return f"{path}?…" if mark else path


def _read(session: SessionBase) -> tuple[Journal, ...]:
    text = session.get(KEY, "")
    try:
        journals = _decoder.decode(text) if isinstance(text, str) and text else ()
    except msgspec.DecodeError:
        return ()
    oldest = time.time() - LONGEST
    return tuple(each for each in journals if each.opened >= oldest)


def _write(session: SessionBase, journals: tuple[Journal, ...]) -> None:
    session[KEY] = msgspec.json.encode(journals).decode()
