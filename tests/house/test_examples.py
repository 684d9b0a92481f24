"""The examples of the reference are configurations that work, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from doorward.config.decode import decode, parse
from doorward.config.dynamic import DynamicConfiguration
from doorward.config.linear_pattern import LinearPattern
from doorward.config.outpost_plan import load
from doorward.config.static import decode_static
from doorward.sources.compile import compile_table
from net.certificates import Authority, self_signed
from peers.manuals import from_page

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
STATIC = "entryPoints: {web: {address: ':80'}, websecure: {address: ':443'}, identity: {address: ':9000'}}"


def examples(page: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", (REFERENCE / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", examples("static.md"))
def test_static_examples(text: str) -> None:
    """Each is taken by the decoder."""
    decode_static(parse(text, Path("doorward.yml")))


@pytest.mark.parametrize("text", examples("dynamic.md"))
def test_dynamic_examples(text: str, tmp_path: Path) -> None:
    """Each makes a table without a broken router and without a warning, the files that it names being there."""
    pairs = {
        "etc/doorward/tls/wiki.example.com": ".key",
        "etc/doorward/tls/more/a": ".key",
        "etc/doorward/tls/fallback": ".key",
        "etc/letsencrypt/live/b.example.com/fullchain": "",
    }
    for name, suffix in pairs.items():
        made, path = self_signed("wiki.example.com"), tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(path.name + ".pem").write_text(made.chain_pem)
        key = path.with_name(path.name + suffix) if suffix else path.with_name("privkey.pem")
        key.write_text(made.key_pem)
    (tmp_path / "etc/doorward/tls/staff-ca.pem").write_text(Authority("Staff").pem)
    written = decode(parse(text.replace("/etc/", f"{tmp_path}/etc/"), Path("routes.yml")), DynamicConfiguration)

    made_of = compile_table(decode_static(parse(STATIC, Path("doorward.yml"))), {"file": written})

    assert made_of.broken == ()
    assert made_of.warnings == ()


@pytest.mark.parametrize("page", ["outpost-alone.md", "outpost-authentik.md"])
def test_examples_of_the_outpost_alone(page: str, tmp_path: Path) -> None:
    """Each is a configuration that can be used, the files that it names being there."""
    (tmp_path / "client").write_text("a-client-secret")
    changes = {"/run/secrets/wiki-client": f"{tmp_path}/client", "/var/lib/doorward-outpost": f"{tmp_path}/state"}
    file = tmp_path / "outpost.yml"
    file.write_text(from_page(page, "yaml", changes))

    made = load(file, LinearPattern, {})

    assert not made.warnings
