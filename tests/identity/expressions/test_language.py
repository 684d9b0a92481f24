"""What an expression can say: the part of Python that policies and mappings are written in."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.identity.expressions.errors import ExpressionFailed, ExpressionInvalid
from doorward.identity.expressions.evaluation import run
from doorward.identity.expressions.parsing import parse
from doorward.identity.expressions.values import Record, Records

STAFF = Record("a group", {"name": "staff", "is_superuser": False})
ADMINS = Record("a group", {"name": "admins", "is_superuser": True})
USER = Record(
    "a user",
    {
        "username": "bob",
        "email": "Bob@Example.com",
        "attributes": {"team": "blue", "size": 3},
        "ak_groups": Records("groups", lambda: (STAFF, ADMINS)),
    },
)


def result(text: str, **known: Any) -> object:
    return run(parse(text), {"user": USER, **known})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("return 1 + 2 * 3", 7),
        ("return 7 // 2, 7 % 2, 2 ** 10, -3, 7 / 2", [3, 1, 1024, -3, 3.5]),
        ("return user.username", "bob"),
        ("return user.email.lower().endswith('@example.com')", True),
        ("return user.attributes['team'] == 'blue' and user.attributes.get('size', 0) >= 3", True),
        ("return [group.name for group in user.ak_groups.all()]", ["staff", "admins"]),
        ("return user.ak_groups.filter(name='staff').exists()", True),
        ("return user.ak_groups.filter(name__startswith='x').exists()", False),
        ("return user.ak_groups.filter(is_superuser=True).first().name", "admins"),
        ("return user.ak_groups.exclude(name__in=['staff']).values_list('name', flat=True)", ["admins"]),
        ("return {'groups': [g.name for g in user.ak_groups], **{'a': 1}}", {"groups": ["staff", "admins"], "a": 1}),
        ("return f'{user.username}@{1 + 1}'", "bob@2"),
        ("total = 0\nfor i in range(5):\n  if i == 3:\n    continue\n  total += i\nreturn total", 7),
        ("i = 0\nwhile True:\n  i += 1\n  if i > 4:\n    break\nreturn i", 5),
        ("first, second = 'a-b'.split('-')\nreturn second + first", "ba"),
        ("found = {}\nfound['x'] = [1]\nfound['x'].append(2)\nreturn found", {"x": [1, 2]}),
        ("return {x: y for x, y in zip('ab', [1, 2]) if y > 1}", {"b": 2}),
        ("return sorted({3, 1, 2}), max(1, 5), min([4, 2]), sum([1, 2]), len('abc')", [[1, 2, 3], 5, 2, 3, 3]),
        ("return any(x > 1 for x in [1, 2]), all([]), bool(user.ak_groups.filter(name='no'))", [True, True, False]),
        ("return 'yes' if 'b' in 'abc' and 1 not in [2] else 'no'", "yes"),
        ("return 1 < 2 < 3, None is None, 1 != 2, [1, [2]] == [1, [2]]", [True, True, True, True]),
        ("return regex_match('bob@corp.example', r'@corp\\.example$')", True),
        ("return regex_replace('bob@example.com', '@.*', '')", "bob"),
        ("return regex_replace('a1b22', '[0-9]+', '#')", "a#b#"),
        ("return list_flatten([1, [2, [3]]])", [1, 2, 3]),
        ("return ip_address('10.1.2.3') in ip_network('10.0.0.0/8')", True),
        ("return now() - timedelta(days=1) < now()", True),
        ("return 'abc'[1], 'abc'[::-1], [1, 2, 3][1:]", ["b", "cba", [2, 3]]),
        ("return isinstance('a', str), isinstance(1, (str, list))", [True, False]),
        ("x: int = 3\nreturn x", 3),
        ("pass", None),
    ],
)
def test_what_it_means(text: str, expected: object) -> None:
    """As in Python."""
    assert result(text) == expected


def test_it_changes_nothing_outside() -> None:
    """A value that was given in is a copy for whoever admits it; here the names themselves stay."""
    known: dict[str, Any] = {"x": 1}
    assert run(parse("x = 2\nreturn x"), known) == 2
    assert known == {"x": 1}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("return 1 +", 1, "not understood"),
        ("x = 1\nimport os", 2, "nothing can be imported"),
        ("def f():\n  return 1", 1, "functions cannot be defined"),
        ("x = 1\n\ntry:\n  pass\nexcept Exception:\n  pass", 3, "errors cannot be caught"),
        ("return user.__class__", 1, "begin with “_”"),
        ("return f'{user.username:>100}'", 1, "no format"),
        ("return (y := 1)", 1, "line of its own"),
        ("return b'x'", 1, "only texts, numbers"),
        ("user.name = 'x'", 1, "can be set"),
    ],
)
def test_what_is_refused_says_where_and_what_instead(text: str, line: int, says: str) -> None:
    """When it is saved, not when somebody logs in."""
    with pytest.raises(ExpressionInvalid) as refused:
        parse(text)
    assert refused.value.line == line
    assert says in refused.value.reason


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("x = 1\nreturn usr.name", 2, "nothing called “usr”"),
        ("return user.nmae", 1, "a user has no “nmae”; it has ak_groups, attributes, email, username"),
        ("return 'a'.format(1)", 1, "a text has no “format”"),
        ("return {}['x']", 1, "the dict has no 'x'"),
        ("return 1 / 0", 1, "division by zero"),
        ("return 'a' + 1", 1, "does not work with"),
        ("return user", 1, "return a field of it"),
        ("return regex_match('a', '(a*)*')", 1, "the pattern"),
        ("break", 0, "belong into a loop"),
        ("return ip_address('x')", 1, "is no IP address"),
        ("return len(1, 2)", 1, "at most 1 values"),
        ("return 'a'(1)", 1, "a text cannot be called"),
        ("return [1][5]", 1, "out of range"),
        ("a, b = [1]", 1, "2 names for 1 values"),
    ],
)
def test_what_goes_wrong_says_where(text: str, line: int, says: str) -> None:
    """The line, what was found, and what there would have been."""
    with pytest.raises(ExpressionFailed) as failed:
        result(text)
    assert failed.value.line == line
    assert says in failed.value.reason
