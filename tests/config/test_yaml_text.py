"""YAML files: what people mean, and nothing that multiplies or runs."""

from __future__ import annotations

import pytest

from doorward.config.problems import ConfigurationError
from doorward.config.yaml_text import read_yaml


def refused(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_yaml(text, "routes.yml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("NO", "NO"),
        ("true", True),
        ("12:30", "12:30"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("'true'", "true"),
        ('"5"', "5"),
        ("!!str 5", "5"),
        ("~", None),
        ("2026-11-25", "2026-11-25"),
    ],
)
def test_words_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    """A value is read as in Traefik's files, not as YAML 1.1 would."""
    assert read_yaml(f"key: {text}", "f").data == {"key": value}


def test_keys_stay_text() -> None:
    """A key such as ``on`` or ``8080`` is a name."""
    assert read_yaml("on: 1\n8080: 2\n", "f").data == {"on": 1, "8080": 2}


def test_lines_are_known() -> None:
    """Every key and list item knows its line, whatever its spelling."""
    document = read_yaml("http:\n  Routers:\n    a:\n      middlewares:\n        - x\n        - y\n", "f")

    assert document.line(("http", "routers", "A")) == 3
    assert document.line(("http", "routers", "a", "middlewares", 1)) == 6
    assert document.line(("http", "routers", "a", "rule")) == 3


def test_duplicate_key_is_refused_with_its_line() -> None:
    """The second of two equal keys is an error, not the winner."""  # S-715
    assert refused("a: 1\nb: 2\na: 3\n") == "routes.yml:3: a: is given twice"


def test_half_written_file_is_refused_with_its_line() -> None:
    """A file that ends in the middle names the line."""  # S-715
    assert refused("http:\n  routers: {a: [\n").startswith("routes.yml:2: is not valid YAML")


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!!python/name:os.system", "!Env", "!!timestamp"])
def test_tags_make_nothing(tag: str) -> None:
    """A tag never makes an object; it is an error."""  # S-715
    assert "only plain data is read" in refused(f"a: {tag} [id]\n")


def test_billion_laughs_is_refused() -> None:
    """Aliases of aliases cannot grow beyond ten times what is written."""  # S-715
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]

    assert "through aliases" in refused("\n".join(lines))


def test_many_aliases_are_refused() -> None:
    """More than a hundred aliases are no configuration."""  # S-715
    text = "a: &a x\n" + "".join(f"k{n}: *a\n" for n in range(101))

    assert "more than 100 aliases" in refused(text)


def test_an_alias_into_itself_is_refused() -> None:
    """A structure that contains itself is an error, not an endless walk."""
    assert "not defined before" in refused("a: &a\n  b: *a\n")


def test_deep_nesting_is_refused() -> None:
    """A file of brackets cannot exhaust the stack."""  # S-715
    assert "nested deeper" in refused("a: " + "[" * 200 + "]" * 200)


def test_very_deep_nesting_is_refused_quickly() -> None:
    """Nor can half a megabyte of them."""  # S-925
    assert refused("[" * 500_000)


def test_anchors_and_merge_keys_work() -> None:
    """Shared parts can be written once."""
    text = "base: &base {port: 1, host: a}\nother:\n  <<: *base\n  port: 2\n"

    assert read_yaml(text, "f").data == {"base": {"port": 1, "host": "a"}, "other": {"host": "a", "port": 2}}


def test_two_documents_are_refused() -> None:
    """A second document would be lost silently."""
    assert "more than one document" in refused("a: 1\n---\nb: 2\n")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_nothing_written_is_nothing(text: str) -> None:
    """An empty file has no data; whoever reads it decides what that means."""
    assert read_yaml(text, "f").data is None
