"""TOML files and the one template."""

from __future__ import annotations

import pytest

from doorward.config.problems import ConfigurationError
from doorward.config.templates import expand
from doorward.config.toml_text import read_toml


def test_toml_keys_know_their_lines() -> None:
    """Errors in TOML files name lines as well."""
    text = '[http.routers.app]\nrule = "x"\n\n[[http.services.app.loadBalancer.servers]]\nurl = "a"\n'
    document = read_toml(text, "routes.toml")

    assert document.line(("http", "routers", "app", "rule")) == 2
    assert document.line(("http", "services", "app", "loadbalancer", "servers", 0, "url")) == 5


def test_broken_toml_names_the_line() -> None:
    """A syntax error says where."""
    with pytest.raises(ConfigurationError, match=r"routes\.toml:2: is not valid TOML"):
        read_toml("a = 1\nb = = 2\n", "routes.toml")


def test_env_is_expanded() -> None:
    """A file may take values from the environment."""
    assert expand('url: {{ env "APP" }}:{{env `PORT`}}', "f", {"APP": "http://a", "PORT": "80"}) == "url: http://a:80"


def test_unset_variable_is_an_error() -> None:
    """A variable that is not set does not silently become nothing."""
    with pytest.raises(ConfigurationError, match=r"f:2: the environment variable APP is not set"):
        expand('a: 1\nb: {{ env "APP" }}', "f", {})


def test_variable_cannot_write_lines() -> None:
    """A value with a line break could add routes of its own."""  # S-706
    with pytest.raises(ConfigurationError, match="line breaks"):
        expand('a: {{ env "APP" }}', "f", {"APP": "x\nhttp: {}"})


@pytest.mark.parametrize("template", ["{{ range .x }}", "{{ env }}", '{{ readFile "/etc/passwd" }}', "{{"])
def test_other_templates_are_refused(template: str) -> None:
    """Go's template language is not guessed at."""
    with pytest.raises(ConfigurationError, match=r"f:1: only the template"):
        expand(template, "f", {})
