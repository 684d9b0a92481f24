"""Every tag of the format means what its documentation says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.config.yaml_text import read_yaml
from doorward.identity.blueprints.errors import Wrong
from doorward.identity.blueprints.scope import Scope
from doorward.identity.blueprints.tags import MAKERS, resolved
from doorward.identity.events.actor import Actor

CONTEXT = {
    "name": "wiki",
    "a.b": "with a dot",
    "a": {"b": "below", "list": ["x", "y"]},
    "sequence": ["foo", "bar"],
    "mapping": {"totp": "one", "static": "two"},
    "nothing": None,
}


def value_of(text: str) -> Any:
    """What stands behind ``value:``, with its tags followed."""
    data: Any = read_yaml(f"value: {text}", "test.yaml", MAKERS).data
    return resolved(data["value"], Scope(CONTEXT, Actor.system()))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!Context name", "wiki"),
        ("!Context a.b", "with a dot"),
        ("!Context a.list.1", "y"),
        ("!Context [missing, fallback]", "fallback"),
        ("!Context [nothing, fallback]", None),
        ("!Context missing", None),
        ("!Context goauthentik.io/enterprise/licensed", False),
        ("!AtIndex [!Context goauthentik.io/rbac/models, authentik_core.user]", "authentik_core.user"),
        ("!Format ['my-%s-%d', !Context name, 3]", "my-wiki-3"),
        ("!If [true]", True),
        ("!If [!Context nothing]", False),
        ("!If [!Context name, {a: !Context name}, 2]", {"a": "wiki"}),
        ("!If [false, 1, [!Context name]]", ["wiki"]),
        ("!If true", True),
        ("!Condition [AND, true, 1]", True),
        ("!Condition [AND, true, '']", False),
        ("!Condition [NAND, true, true]", False),
        ("!Condition [OR, false, 1]", True),
        ("!Condition [NOR, false, 0]", True),
        ("!Condition [XOR, true, true, true]", True),
        ("!Condition [XNOR, true, true]", True),
        ("!Condition [NOR, true]", False),
        ("!Condition [EQ, wiki, !Context name]", True),
        ("!Condition [NEQ, wiki, !Context name]", False),
        ("!Enumerate [!Context sequence, SEQ, !Format ['%s-%s', !Index 0, !Value 0]]", ["0-foo", "1-bar"]),
        ("!Enumerate [!Context mapping, MAP, [!Value 0, !Index 0]]", {"one": "totp", "two": "static"}),
        (
            "!Enumerate [!Context sequence, MAP, [!Index 0, !Enumerate [!Value 1, SEQ, "
            "!Format ['%s %d %s', !Value 1, !Index 0, !Value 0]]]]",
            {"0": ["foo 0 f", "foo 1 o", "foo 2 o"], "1": ["bar 0 b", "bar 1 a", "bar 2 r"]},
        ),
        ("!AtIndex [[first, second], 1]", "second"),
        ("!AtIndex [{foo: bar}, foo]", "bar"),
        ("!AtIndex [[first], 100, default]", "default"),
        ("!AtIndex [!Context a.list, 0]", "x"),
        ("!ParseJSON '{\"a\": [1, true]}'", {"a": [1, True]}),
        ("!Find [authentik_core.group, [name, nobody]]", None),
        ("!FindObject [authentik_core.group, [name, nobody]]", None),
    ],
)
def test_what_a_tag_makes(text: str, expected: Any) -> None:
    """The table of the contract, case by case."""
    assert value_of(text) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("!AtIndex [[first], 100]", "no default"),
        ("!Format ['%s %s', 1]", "does not fit"),
        ("!Format ['%999999999d', 1]", "at most four digits"),
        ("!Format ['%*d', 999999999, 1]", "at most four digits"),
        ("!Format ['%.*f', 999999999, 1.5]", "at most four digits"),
        (f"!Format ['{'%9999s' * 110}', {', '.join(['1'] * 110)}]", "more than a million characters"),
        ("!ParseJSON '[NaN]'", "NaN is no number of JSON"),
        ("!Condition [MAYBE, 1]", "there is no mode 'MAYBE'"),
        ("!Enumerate [!Value 0, SEQ, 1]", "own item"),
        ("!Enumerate [5, SEQ, 1]", "cannot go through 5"),
        ("!Enumerate [[1], SET, 1]", "SEQ or a MAP"),
        ("!Index 0", "no !Enumerate"),
        ("!Value up", "takes a depth"),
        ("!KeyOf nobody", "no entry with the id 'nobody'"),
        ("!Find [authentik_core.grup, [name, a]]", "did you mean 'authentik_core.group'"),
        ("!ParseJSON '{'", "no JSON"),
    ],
)
def test_what_is_wrong_with_a_tag_is_said_with_its_line(text: str, reason: str) -> None:
    """A tag that cannot be followed names itself, its line and the reason."""
    with pytest.raises(Wrong, match=reason) as wrong:
        value_of(text)
    assert wrong.value.line == 1


@pytest.mark.django_db
def test_loops_in_loops_do_not_multiply_without_end() -> None:
    """A few lines cannot make millions of values (S-611)."""
    ten = "[0,1,2,3,4,5,6,7,8,9]"
    text = "1"
    for _ in range(7):
        text = f"!Enumerate [{ten}, SEQ, {text}]"
    with pytest.raises(Wrong, match="more than 100000 values"):
        value_of(text)


@pytest.mark.django_db
def test_only_variables_that_were_set_for_blueprints_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment holds other people's secrets; the prefix says which are meant (S-611)."""
    monkeypatch.setenv("DOORWARD_BLUEPRINT_SECRET", "s3cret")
    monkeypatch.setenv("DATABASE_PASSWORD", "not yours")

    assert value_of("!Env SECRET") == "s3cret"
    assert value_of("!Env DOORWARD_BLUEPRINT_SECRET") == "s3cret"
    assert value_of("!Env DATABASE_PASSWORD") is None
    assert value_of("!Env [DATABASE_PASSWORD, default]") == "default"


@pytest.mark.django_db
def test_only_files_of_the_folder_are_read(folder: Path, tmp_path: Path) -> None:
    """No way out: not by an absolute path, not by .., not through a link, not to another machine (S-611)."""
    (folder / "files").mkdir()
    (folder / "files" / "secret").write_text("from a file\n")
    (tmp_path / "outside").write_text("not yours")
    (folder / "link").symlink_to(tmp_path / "outside")

    assert value_of("!File files/secret") == "from a file"
    assert value_of(f"!File {folder}/files/secret") == "from a file"
    assert value_of("!File [files/none, default]") == "default"
    for path in ("../outside", str(tmp_path / "outside"), "/etc/passwd", "link", "https://example.test/x", "file:///x"):
        with pytest.raises(Wrong, match="folder of blueprints"):
            value_of(f"!File {path}")
        with pytest.raises(Wrong, match="folder of blueprints"):
            value_of(f"!File ['{path}', default]")


@pytest.mark.django_db
def test_a_long_text_that_is_named_many_times_is_refused() -> None:
    """A short file cannot fill the memory by naming one long text over and over."""  # S-611
    asked = Scope({"long": "x" * 1_000_000}, Actor.system())
    data: Any = read_yaml("value: [" + "!Context long, " * 20 + "]", "test.yaml", MAKERS).data
    with pytest.raises(Wrong, match="characters in all"):
        resolved(data["value"], asked)


@pytest.mark.django_db
def test_lists_that_share_their_items_are_counted_as_what_they_become() -> None:
    """Each loop makes ten of every item: seven of them are ten million items in a few lines."""  # S-611
    text = "[[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]]"
    for _ in range(7):
        text = f"!Enumerate [{text}, SEQ, [{', '.join(['!Value 0'] * 10)}]]"
    with pytest.raises(Wrong, match="more than 100000 values"):
        value_of(text)
