"""What is left of a rule once the host is known, and as a function.

Everything in a rule that depends on the host is decided when the table is built; what has to be asked for each request
is the path and the method.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from doorward.messages import routing as messages

Test = Callable[[bytes, bytes], bool]
"""(routing path, method) → does it match?"""


def host_names(rule: messages.Rule) -> set[str]:
    match rule:
        case messages.Host(name):
            return {name}
        case messages.Not(inner):
            return host_names(inner)
        case messages.All(rules) | messages.Any(rules):
            return set().union(*(host_names(part) for part in rules))
    return set()


def asks(rule: messages.Rule, matchers: type | tuple[type, ...]) -> bool:
    """Whether any part of ``rule`` is one of ``matchers``."""
    match rule:
        case messages.Not(inner):
            return asks(inner, matchers)
        case messages.All(rules) | messages.Any(rules):
            return any(asks(part, matchers) for part in rules)
    return isinstance(rule, matchers)


def decide_host(rule: messages.Rule, name: str | None) -> messages.Rule | bool:
    """``rule`` for requests to one host: the part that still depends on path or method, or the answer itself.

    ``name`` is a host of the table, a ``*.`` wildcard of it (then: a host under it that the table does not name),
    ``""`` for no host, None for a host that nothing in the table speaks of.
    """
    match rule:
        case messages.Host(wanted):
            return wanted == name or (name is not None and not name.startswith("*.") and _under(name, wanted))
        case messages.Not(inner):
            decided = decide_host(inner, name)
            return not decided if isinstance(decided, bool) else messages.Not(decided)
        case messages.All(rules):
            return _decide_all(rules, name)
        case messages.Any(rules):
            return _decide_any(rules, name)
    return rule


def _under(name: str, wildcard: str) -> bool:
    label, dot, parent = name.partition(".")
    return wildcard.startswith("*.") and bool(label and dot) and parent == wildcard[2:]


def _decide_all(rules: Sequence[messages.Rule], name: str | None) -> messages.Rule | bool:
    left: list[messages.Rule] = []
    for part in rules:
        decided = decide_host(part, name)
        if decided is False:
            return False
        if decided is not True:
            left.append(decided)
    return messages.All(tuple(left)) if len(left) > 1 else left[0] if left else True


def _decide_any(rules: Sequence[messages.Rule], name: str | None) -> messages.Rule | bool:
    left: list[messages.Rule] = []
    for part in rules:
        decided = decide_host(part, name)
        if decided is True:
            return True
        if decided is not False:
            left.append(decided)
    return messages.Any(tuple(left)) if len(left) > 1 else left[0] if left else False


def compile_rule(rule: messages.Rule) -> Test:
    """A rule without hosts as a function of routing path and method."""
    match rule:
        case messages.Path(path):
            wanted = path.encode()
            return lambda path, method: path == wanted
        case messages.PathPrefix(prefix):
            start = prefix.encode()
            return lambda path, method: path.startswith(start)
        case messages.Method(name):
            verb = name.encode()
            return lambda path, method: method == verb
        case messages.Not(inner):
            test = compile_rule(inner)
            return lambda path, method: not test(path, method)
        case messages.All(rules):
            tests = tuple(compile_rule(part) for part in rules)
            return lambda path, method: all(test(path, method) for test in tests)
        case messages.Any(rules):
            tests = tuple(compile_rule(part) for part in rules)
            return lambda path, method: any(test(path, method) for test in tests)
    raise ValueError(f"{rule!r} asks for a host")
