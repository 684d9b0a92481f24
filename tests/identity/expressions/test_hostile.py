"""Expressions that want out, or everything (S-612)."""

from __future__ import annotations

import gc
import resource
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.identity.expressions.errors import ExpressionFailed, ExpressionInvalid
from doorward.identity.expressions.evaluation import run
from doorward.identity.expressions.parsing import parse
from doorward.identity.expressions.values import Record

USER = Record("a user", {"username": "bob", "attributes": {"a": [1, 2]}})

WAYS_OUT = [
    '__import__("os").system("id")',
    "import os",
    "from os import system",
    "().__class__.__mro__",
    "[].__class__.__base__.__subclasses__()",
    'open("/etc/passwd").read()',
    'eval("1")',
    'exec("1")',
    'compile("1", "", "eval")',
    'getattr(user, "username")',
    "globals()",
    "locals()",
    "vars(user)",
    "type(user)",
    "object()",
    'print("x")',
    '"{0.__class__}".format(user)',
    '"{0.__class__}".format_map({"0": user})',
    '"%s" % user',
    "f'{user}'",
    "str(user)",
    "user.fields",
    "user.read('username')",
    "user.kind",
    "user.methods",
    "len.call",
    "len.__globals__",
    "str.format('{0.__class__}', user)",
    "[].append.__self__",
    "(lambda: 1)()",
    "[x.gi_frame for x in (1,)]",
    "(x for x in [1]).gi_frame",
    "'a'.encode().decode()",
    "'a'.translate({})",
    "''.join.call",
    "now.call",
    "now().astimezone()",
    "now().strftime('%s' * 10)",
    "now().replace(year=1)",
    "ip_address('10.0.0.1').exploded.__class__",
    "ip_network('10.0.0.0/8').hosts()",
    "dict.fromkeys('abc')",
    "ak_logger.__class__",
    "request.__dict__",
    "exit()",
    "quit()",
    "help()",
    "breakpoint()",
    "input()",
    "memoryview(b'a')",
    "super()",
    "...",
    "yield 1",
    "await user",
    "*user",
]


@pytest.mark.parametrize("text", WAYS_OUT)
def test_there_is_no_way_out(text: str) -> None:
    """Refused when saved or failed when run; nothing of Python, of the server or of a record's inside is reached."""
    # S-612
    with pytest.raises((ExpressionInvalid, ExpressionFailed)):
        run(parse(f"return {text}" if not text.startswith(("import", "from", "yield")) else text), {"user": USER})


TOO_MUCH = {
    "for ever": "while True:\n  pass",
    "for ever, quietly": "x = [1]\nwhile x:\n  for i in x:\n    x.append(i)",
    "a long text": 'return "a" * 10**10',
    "text by text": "x = 'a'\nwhile True:\n  x = x + x",
    "f-string by f-string": "x = 'a'\nwhile True:\n  x = f'{x}{x}'",
    "a long list": "return [0] * 10**10",
    "list by list": "x = [0]\nwhile True:\n  x = x + x",
    "a large number": "return 10**10**10",
    "number by number": "x = 3\nwhile True:\n  x = x * x",
    "a long range": "return list(range(10**12))",
    "numbers of a range": "return [i for i in range(10**12)]",
    "pairs": "return list(enumerate(range(10**6)))",
    "columns": "x = list(range(10000))\nreturn [zip(x, x, x, x) for i in x]",
    "replacing": "x = 'a' * 1000\nwhile True:\n  x = x.replace('a', 'aaaaaaaaaa')",
    "joining": "x = 'a' * 1000\nwhile True:\n  x = x.join([x, x, x])",
    "splitting": "x = 'a ' * 100000\nwhile True:\n  y = x.split(' ')",
    "shared lists, equal": "a = []\nb = []\nfor i in range(29):\n  a = [a, a]\n  b = [b, b]\nreturn a == b",
    "shared lists, returned": "a = []\nfor i in range(29):\n  a = [a, a]\nreturn a",
    "shared tuples as key": "a = ()\nfor i in range(29):\n  a = (a, a)\nreturn {a: 1}",
    "shared lists, flattened": "a = [1]\nfor i in range(60):\n  a = [a, a]\nreturn list_flatten(a)",
    "itself": "a = []\na.append(a)\nreturn a",
    "itself, equal": "a = []\na.append(a)\nb = []\nb.append(b)\nreturn a == b",
    "searching": "x = 'a' * 400000 + 'b'\nwhile 'ab' * 100 not in x:\n  pass",
    "members": "x = list(range(20000))\nwhile -1 not in x:\n  pass",
    "sorting": "x = list(range(20000))\nwhile True:\n  x = sorted(x)[::-1]",
    "a pattern": "return regex_match('a' * 4000, '(a?){60}' * 20)",
    "patterns": "while True:\n  regex_match('a' * 1000, 'a*b')",
    "replacing by pattern": "return regex_replace('a' * 4000, 'a*b', '')",
    "growing names": "x = {}\ni = 0\nwhile True:\n  i += 1\n  x[f'{i}'] = {}",
    "nested comprehensions": "r = range(1000)\nreturn [1 for a in r for b in r for c in r for d in r]",
    "growing sets": "x = set()\ni = 0\nwhile True:\n  i += 1\n  x = x | {i}",
    "cutting": "x = list(range(100000))\nwhile True:\n  x[1:]",
    "spreading": "x = list(range(1000))\nreturn [*x, *[[*x, *x] for i in x]]",
    "a number as text": "x = 10 ** 1000\nwhile True:\n  str(x)",
}


@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH)
def test_nothing_takes_for_ever_or_everything(text: str) -> None:
    """Each fails, within a second of processor time and 64 MiB."""
    # S-612
    gc.collect()
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.thread_time()
    with pytest.raises((ExpressionInvalid, ExpressionFailed)):
        run(parse(text), {"user": USER})

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    assert time.thread_time() - began < 1


@pytest.mark.parametrize(
    "text",
    [
        "-" * 16000 + "1",
        "(" * 8000 + ")" * 8000,
        "[" * 8000 + "]" * 8000,
        "not " * 4000 + "x",
        "x" + ".a" * 8000,
        "x" + "[0]" * 5000,
        "1" + "+1" * 8000,
        "x" + "()" * 8000,
        "if x:\n" + "".join(" " * depth + "if x:\n" for depth in range(1, 90)) + " " * 90 + "pass",
        "f'{" * 100 + "x" + "}'" * 100,
        "lambda: " * 2000 + "1",
        "x\0y",
        "\ud800",
        "a" * 20000,
        "1" * 10000,
    ],
    ids=lambda text: text[:8].encode("unicode_escape").decode(),
)
def test_what_is_nested_too_deeply_is_refused(text: str) -> None:
    """By a reason, never by the stack."""
    with pytest.raises(ExpressionInvalid):
        parse(text)


PIECES = st.sampled_from(Path(__file__).read_text().split() + list("[](){}:,.+-*/%=<\n_;@~"))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=40).map(" ".join), st.text(max_size=200)))
def test_whatever_it_says_it_ends_in_plain_data_or_a_reason(text: str) -> None:
    """No other error ever comes out, and no other value."""
    try:
        found = run(parse(text), {"user": USER, "x": [1], "y": {"a": "b"}})
    except (ExpressionInvalid, ExpressionFailed):
        return
    assert found is None or isinstance(found, (str, int, float, bool, list, dict))
