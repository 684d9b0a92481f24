"""Runs the expression of a policy or a mapping about a user."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from django.contrib.auth.models import AnonymousUser

from doorward.identity.directory.models import User
from doorward.identity.expressions.budget import Budget
from doorward.identity.expressions.calls import Call
from doorward.identity.expressions.errors import ExpressionFailed, ExpressionInvalid
from doorward.identity.expressions.evaluation import run
from doorward.identity.expressions.parsing import parse
from doorward.identity.expressions.values import Function, Record, Value, admit, kind_of, text_of
from doorward.identity.policies.asked import NOTHING_KNOWN, Asked
from doorward.identity.policies.facts import address, find_user, http_record, user_record

_LOG = logging.getLogger("doorward.expressions")
_LONGEST_MESSAGE = 500
_MOST_MESSAGES = 10
_parsed = lru_cache(maxsize=512)(parse)


@dataclass(frozen=True, slots=True)
class Result:
    """What an expression has returned (plain data), and said on the way."""

    value: object
    messages: tuple[str, ...] = ()
    """For the user (``ak_message``)."""
    log: tuple[str, ...] = ()
    """For administrators (``ak_logger``)."""


@dataclass
class _Said:
    messages: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


def evaluate(
    text: str, user: User | AnonymousUser, asked: Asked = NOTHING_KNOWN, *, more: Mapping[str, Value] | None = None
) -> Result:
    """Run ``text``. ``more`` are names besides the usual ones, as plain data. Raises ExpressionFailed."""
    try:
        program = _parsed(text)
    except ExpressionInvalid as invalid:  # stored by a version with a larger language
        raise ExpressionFailed(invalid.reason, invalid.line) from invalid
    budget, said = Budget(), _Said()
    names = _names(user, asked, budget, said)
    names |= {name: admit(value, budget) for name, value in (more or {}).items()}
    value = run(program, names, budget)
    for line in said.log:
        _LOG.info("%s", line)
    return Result(value, tuple(said.messages), tuple(said.log))


def _names(user: User | AnonymousUser, asked: Asked, budget: Budget, said: _Said) -> dict[str, Value]:
    about = user_record(user, budget)
    context = {"pending_user": about, **admit(dict(asked.context), budget)}
    http = http_record(asked)
    request = Record(
        "the request", {"user": about, "http_request": http, "context": context, "obj": context.get("application")}
    )
    functions: dict[str, Callable[[Call], Value]] = {
        "ak_message": lambda call: _keep(said.messages, call),
        "ak_is_group_member": _is_group_member,
        "ak_user_by": lambda call: _user_by(call, budget),
        "ak_user_has_authenticator": _has_authenticator,
    }
    logging_functions = {
        level: Function(level, lambda call: _keep(said.log, call)) for level in ("debug", "info", "warning", "error")
    }
    return {
        "request": request,
        "user": about,
        "http_request": http,
        "context": context,
        "ak_client_ip": address(asked),
        "ak_is_sso_flow": context.get("is_sso") is True,
        "ak_logger": Record("the log", {}, logging_functions),
        **{name: Function(name, call) for name, call in functions.items()},
    }


def _keep(kept: list[str], call: Call) -> None:
    text = text_of(call.given[0] if call.given else "", call.budget)[:_LONGEST_MESSAGE]
    if len(kept) < _MOST_MESSAGES:
        kept.append(text)


def _is_group_member(call: Call) -> bool:
    """``ak_is_group_member(user, name="…")``; inherited membership counts."""
    if len(call.given) != 1 or set(call.named) - {"name", "pk"} or not call.named:
        raise ExpressionFailed("ak_is_group_member takes a user and name=… of a group")
    who = call.given[0]
    if not isinstance(who, Record) or "all_groups" not in who.methods:
        raise ExpressionFailed(f"ak_is_group_member works with a user, not with {kind_of(who)}")
    groups = who.methods["all_groups"].call(Call("all_groups", [], {}, call.budget))
    return any(all(group.read(name) == value for name, value in call.named.items()) for group in groups)


def _user_by(call: Call, budget: Budget) -> Value:
    if call.given:
        raise ExpressionFailed("ak_user_by takes username=…, email=… or pk=…")
    found = find_user(dict(call.named))
    return user_record(found, budget) if found is not None else None


def _has_authenticator(call: Call) -> bool:
    from doorward.identity.authenticators.queries import devices  # that room asks this one what access is

    who, kind = call.values("user", "device_type", optional=1)
    pk = who.fields.get("pk") if isinstance(who, Record) else None
    user = User.objects.filter(pk=pk).first() if isinstance(pk, int) else None
    classes = {str(device.CLASS) for device in devices(user)} if user is not None else set()
    return kind in classes if kind is not None else bool(classes)
