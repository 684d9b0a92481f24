"""Functions on texts, lists, addresses and times, named as in authentik's expressions where those have them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address, ip_network

from doorward.config.linear_pattern import BadPattern, LinearPattern
from doorward.identity.expressions.calls import Call
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.expressions.values import Function, Value

LONGEST_SEARCHED = 4096
"""Characters that a pattern is tried on."""


def _pattern(call: Call, text: str, pattern: str) -> LinearPattern:
    if len(text) > LONGEST_SEARCHED:
        raise ExpressionFailed(f"{call.function} looks at {LONGEST_SEARCHED:,} characters at most")
    try:
        compiled = LinearPattern(pattern)
    except BadPattern as error:
        raise ExpressionFailed(f"the pattern {pattern!r}: {error}") from error
    call.budget.look(20 * compiled.size * (len(text) + 1))
    return compiled


def _regex_match(call: Call) -> bool:
    value, regex = (call.text(each) for each in call.values("value", "regex"))
    return _pattern(call, value, regex).matches(value)


def _regex_replace(call: Call) -> str:
    value, regex, replacement = (call.text(each) for each in call.values("value", "regex", "repl"))
    if "\\" in replacement:
        raise ExpressionFailed("regex_replace puts in plain text; it knows no groups (“\\1”)")
    pattern = _pattern(call, value, regex)
    out: list[str] = []
    at = 0
    while at <= len(value):
        end, looked = pattern.longest(value, at)
        call.budget.look(20 * pattern.size * looked)
        if end is not None:
            call.budget.make(len(replacement))
            out.append(replacement)
        if end is None or end == at:
            out.append(value[at : at + 1])
            end = at + 1
        at = end
    return "".join(out)


def _list_flatten(call: Call) -> list[Value]:
    (value,) = call.values("value")
    flat: list[Value] = []
    pending = [value]
    while pending:
        each = pending.pop()
        call.budget.step()
        if isinstance(each, (list, tuple)):
            pending.extend(reversed(each))
        else:
            call.budget.make(1)
            flat.append(each)
    return flat


def _ip_address(call: Call) -> Value:
    text = call.text(call.values("address")[0])
    try:
        return ip_address(text)
    except ValueError as error:
        raise ExpressionFailed(f"{text[:60]!r} is no IP address") from error


def _ip_network(call: Call) -> Value:
    text = call.text(call.values("network", "strict", optional=1)[0])
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise ExpressionFailed(f"{text[:60]!r} is no network such as 192.0.2.0/24") from error


def _now(call: Call) -> datetime:
    call.values()
    return datetime.now(UTC)


def _today(call: Call) -> date:
    call.values()
    return datetime.now(UTC).date()


def _timedelta(call: Call) -> timedelta:
    named = dict(call.named)
    amounts = call.values("days", "seconds", "minutes", "hours", "weeks", optional=5)
    if any(not isinstance(each, (int, float, type(None))) for each in (*amounts, *named.values())):
        raise ExpressionFailed("timedelta takes numbers of days, seconds, minutes, hours and weeks")
    days, seconds, minutes, hours, weeks = (each or 0 for each in amounts)
    return timedelta(days=days, seconds=seconds, minutes=minutes, hours=hours, weeks=weeks)


def _datetime(call: Call) -> datetime:
    """From a text as RFC 3339 has it; in UTC where it names no zone."""
    found = datetime.fromisoformat(call.text(call.values("text")[0]))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


MATCHING = {
    name: Function(name, call)
    for name, call in {
        "regex_match": _regex_match,
        "regex_replace": _regex_replace,
        "list_flatten": _list_flatten,
        "ip_address": _ip_address,
        "ip_network": _ip_network,
        "now": _now,
        "today": _today,
        "timedelta": _timedelta,
        "parse_datetime": _datetime,
    }.items()
}
