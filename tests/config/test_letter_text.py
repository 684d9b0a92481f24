"""The language of letters' own templates: what it knows, and that it reaches nothing else."""

from __future__ import annotations

import pytest

from doorward.config.letter_plain import plain
from doorward.config.letter_text import read

NAMES = ("name", "url", "reason")
VALUES = {"name": "Bob", "url": "https://auth.example.test/?a=1&b=2", "reason": ""}


def filled(text: str, *, markup: bool = False, **values: str) -> str:
    template, wrong = read(text, NAMES, markup=markup)
    assert wrong == []
    return template.filled({**VALUES, **values}, escaped=markup)


def faults(text: str, *, markup: bool = False) -> list[tuple[int, str]]:
    return [(wrong.line, wrong.message) for wrong in read(text, NAMES, markup=markup)[1]]


def test_variables_conditions_and_comments() -> None:
    """A name is filled in, a condition asks whether there is something, and a comment is for whoever writes."""
    text = "{# hello #}Hi {{ name }}!{% if reason %} ({{reason}}){% else %} (no reason){% endif %}"

    assert filled(text) == "Hi Bob! (no reason)"
    assert filled(text, reason="late") == "Hi Bob! (late)"


def test_values_are_never_templates() -> None:
    """Whatever somebody calls themselves stays what it is."""  # S-531
    assert filled("{{ name }}", name="{{ url }} {% if url %} {{7*7}} %(x)s") == "{{ url }} {% if url %} {{7*7}} %(x)s"


def test_values_are_escaped_in_html() -> None:
    """In text and in attributes."""  # S-519
    text = '<p title="{{ name }}">{{ name }}</p>'

    assert "<img" not in filled(text, markup=True, name="\"'><img src=x>")
    assert filled('<a href="{{ url }}">', markup=True) == '<a href="https://auth.example.test/?a=1&amp;b=2">'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{% load i18n %}", "{% load %} is not known here"),
        ('{% include "other.txt" %}', "{% include %} is not known here"),
        ('{% extends "email/base.html" %}', "{% extends %} is not known here"),
        ("{{ nmae }}", "there is no variable 'nmae'; did you mean 'name'?"),
        ("{{ user.name }}", "did you mean 'name'?"),
        ("{{ name.__class__ }}", "there is no variable"),
        ("{{ name|upper }}", "write {{ name }}"),
        ("{{ 7*7 }}", "is no variable"),
        ("{{ }}", "is no variable"),
        ("{% if name == 'x' %}{% endif %}", "takes one variable"),
        ("{% if name %}", "without its {% endif %}"),
        ("{% endif %}", "without its {% if %}"),
        ("{% else %}", "without its {% if %}"),
        ("{{ name", "{{ is not closed"),
        ("{% if\nname %}", "{% is not closed"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, says: str) -> None:
    """With its line, and what may have been meant."""
    (line, message), *_ = faults(f"Hello,\n\n{text}")

    assert line == 3
    assert says in message


@pytest.mark.parametrize(
    "text",
    [
        "<p style='color: {{ name }}'>",
        '<a href="{{ reason }}">',
        '<a href="javascript:{{ url }}">',
        "<a href={{ url }}>",
        "<{{ name }}>",
        '<img onerror="{{ name }}">',
        "<style>{{ name }}</style>",
        "<script>x</script>",
    ],
)
def test_a_variable_stands_where_escaping_is_enough(text: str) -> None:
    """Not in a style, a script, an address or the name of a tag."""
    assert len(faults(text, markup=True)) == 1


def test_every_fault_is_told_at_once() -> None:
    """With the line of each."""
    assert [line for line, _ in faults("{{ a1 }}\n{{ b1 }}\n\n{% load x %}{{ c1 }}")] == [1, 2, 4, 4]


def test_html_as_plain_text() -> None:
    """Words, lines, and where a link leads; nothing of what is not read."""
    markup = (
        "<html><head><title>T</title><style>p {}</style></head><body><h1>Hello</h1><p>See\n<a href='https://x.test/'>"
        "this</a><br>and <a href='https://y.test/'>https://y.test/</a></p><ul><li>one<li>two</ul><!-- no --></body>"
    )

    assert plain(markup) == "Hello\n\nSee this: https://x.test/\nand https://y.test/\n\n- one\n- two"
