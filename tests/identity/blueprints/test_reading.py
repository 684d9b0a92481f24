"""Only what a blueprint is made of is read, and what is wrong with its form is told with its line."""

from __future__ import annotations

import pytest

from doorward.identity.blueprints.errors import Unusable
from doorward.identity.blueprints.reading import read


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nentries: !!python/object/apply:os.system ['true']",
        "version: 1\nentries: [!!python/name:os.system '']",
        "version: 1\nentries:\n  - model: !Include other.yaml",
        "a: &a [1,2,3,4,5,6,7,8,9]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]",
        "version: 1\nversion: 1\nentries: []",
        "[" * 200,
        "version: 1\nentries: [" + "1," * 600_000,
    ],
)
def test_what_is_no_plain_data_is_refused(text: str) -> None:
    """Python's own tags, unknown ones, aliases that multiply, keys given twice, depth and size (S-611)."""
    with pytest.raises(Unusable):
        read(text, "test.yaml")


def test_everything_wrong_with_the_form_is_told_at_once() -> None:
    """Each with its line and the word that was meant."""
    with pytest.raises(Unusable) as refused:
        read(
            "version: 2\nmetadta: {}\nentries:\n  - modle: a.b\n    model: a.b\n    id: x\n  - id: y\n"
            "  - model: a.b\n    id: x\n    identifiers: []\n",
            "test.yaml",
        )

    assert [str(problem) for problem in refused.value.problems] == [
        "test.yaml:2: metadta: 'metadta' is no part of a blueprint; did you mean 'metadata'?",
        "test.yaml:1: version: version is 2; only version 1 is known",
        "test.yaml:4: entries[0].modle: 'modle' is no part of an entry; did you mean 'model'?",
        "test.yaml:7: entries[1]: model is missing",
        "test.yaml:10: entries[2].identifiers: a mapping is expected",
        "test.yaml:9: entries[2]: the id 'x' is that of line 4 as well",
    ]


def test_entries_may_be_a_mapping_of_lists() -> None:
    """Parts of a file can have names."""
    blueprint = read("version: 1\nentries:\n  people:\n    - model: a.b\n  rest:\n    - model: c.d\n", "test.yaml")

    assert [(entry.model, entry.place, entry.line) for entry in blueprint.entries] == [
        ("a.b", "entries.people[0]", 4),
        ("c.d", "entries.rest[0]", 6),
    ]


def test_a_label_says_that_a_blueprint_waits_to_be_asked_for() -> None:
    """Examples lie in the folder without being applied."""
    text = 'version: 1\nmetadata:\n  name: x\n  labels: {{blueprints.goauthentik.io/instantiate: "{}"}}\nentries: []\n'

    assert read(text.format("true"), "x").applies_itself
    assert not read(text.format("false"), "x").applies_itself
