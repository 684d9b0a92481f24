"""Certificates from files, folders and patterns; read again when they change; the last good one stays."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from doorward.config.problems import ConfigurationError
from doorward.messages.routing import Certificate
from doorward.net.tls import names_of
from doorward.sources.certificates import Shelf
from doorward.sources.compile import Compiled, Surroundings, compile_table
from doorward.sources.routes import Failed, Routing, follow
from net.certificates import self_signed
from sources.compiling import STATIC, dynamic_of, static_of


def write(made: Certificate, cert: Path, key: Path) -> None:
    cert.parent.mkdir(parents=True, exist_ok=True)
    key.parent.mkdir(parents=True, exist_ok=True)
    key.write_text(made.key_pem)
    cert.write_text(made.chain_pem)


def compiled(entry: str, shelf: Shelf | None = None) -> Compiled:
    dynamic = dynamic_of(f"tls: {{certificates: [{entry}]}}")
    return compile_table(static_of(STATIC), {"file": dynamic}, Surroundings(shelf=shelf))


def names(result: Compiled) -> list[str]:
    return [name for certificate in result.table.certificates for name in names_of(certificate)]


def test_a_folder_of_pairs(tmp_path: Path) -> None:
    """Every certificate with its key beside it, however the pair is called; other files do not matter."""
    write(self_signed("a.test"), tmp_path / "a.crt", tmp_path / "a.key")
    write(self_signed("b.test"), tmp_path / "b.pem", tmp_path / "b-key.pem")
    write(self_signed("c.test"), tmp_path / "tls.crt", tmp_path / "tls.key")
    (tmp_path / "README").write_text("not a certificate")
    (tmp_path / ".old.pem").write_text("not a certificate either")

    result = compiled(f"{{certFile: {tmp_path}}}")

    assert sorted(names(result)) == ["a.test", "b.test", "c.test"]
    assert result.warnings == ()


def test_a_pattern_over_folders(tmp_path: Path) -> None:
    """What ``*`` stands for in one name it stands for in the other."""
    for host in ("a.test", "b.test"):
        write(self_signed(host), tmp_path / host / "fullchain.pem", tmp_path / host / "privkey.pem")

    result = compiled(f'{{certFile: "{tmp_path}/*/fullchain.pem", keyFile: "{tmp_path}/*/privkey.pem"}}')

    assert sorted(names(result)) == ["a.test", "b.test"]


def test_a_pattern_over_files(tmp_path: Path) -> None:
    """Keys may lie elsewhere."""
    for host in ("a.test", "b.test"):
        write(self_signed(host), tmp_path / "certs" / f"{host}.pem", tmp_path / "private" / f"{host}.key")

    result = compiled(f'{{certFile: "{tmp_path}/certs/*.pem", keyFile: "{tmp_path}/private/*.key"}}')

    assert sorted(names(result)) == ["a.test", "b.test"]


def test_the_fresher_of_two_is_shown(tmp_path: Path) -> None:
    """Of two certificates for one name in a folder, the one that lasts longer counts."""
    old = self_signed("a.test", ends=datetime.now(UTC) - timedelta(minutes=1))
    new = self_signed("a.test")
    write(old, tmp_path / "2025.pem", tmp_path / "2025.key")
    write(new, tmp_path / "2026.pem", tmp_path / "2026.key")

    result = compiled(f"{{certFile: {tmp_path}}}")

    assert result.table.certificates == (new, old)
    assert any("2025.pem expired on" in warning for warning in result.warnings)


def test_one_bad_pair_of_a_folder_is_left_out(tmp_path: Path) -> None:
    """The others are used, and the reason is told."""
    write(self_signed("a.test"), tmp_path / "a.pem", tmp_path / "a.key")
    write(self_signed("b.test"), tmp_path / "b.pem", tmp_path / "b.key")
    (tmp_path / "b.key").unlink()

    result = compiled(f"{{certFile: {tmp_path}}}")

    assert names(result) == ["a.test"]
    assert any("left out" in warning and "b.key cannot be read" in warning for warning in result.warnings)


def test_nothing_found_is_told(tmp_path: Path) -> None:
    """An empty folder may fill later; it is no error, but somebody should know."""
    result = compiled(f"{{certFile: {tmp_path}}}")

    assert any("no certificate fits the folder" in warning for warning in result.warnings)


@pytest.mark.parametrize("broken", ["key gone", "key of another", "half written"])
def test_the_last_good_certificate_stays(tmp_path: Path, broken: str) -> None:
    """A renewal that goes wrong takes no host off the air, and keeps no other change from being made."""  # S-705
    cert, key = tmp_path / "a.pem", tmp_path / "a.key"
    good, shelf = self_signed("a.test"), Shelf()
    write(good, cert, key)
    entry = f"{{certFile: {cert}, keyFile: {key}}}"
    compiled(entry, shelf)

    if broken == "key gone":
        key.unlink()
    elif broken == "key of another":
        key.write_text(self_signed("a.test").key_pem)
    else:
        cert.write_text(good.chain_pem[:100])
    result = compiled(entry, shelf)

    assert result.table.certificates == (good,)
    assert any("the certificate that was read before stays in use" in warning for warning in result.warnings)


def test_a_named_file_that_was_never_good_refuses(tmp_path: Path) -> None:
    """A wrong name is told at once, not discovered by a visitor."""
    with pytest.raises(ConfigurationError, match=r"gone\.pem cannot be read"):
        compiled(f"{{certFile: {tmp_path}/gone.pem, keyFile: {tmp_path}/gone.key}}")
    with pytest.raises(ConfigurationError, match=r"gone\.pem needs a keyFile, or must be a folder"):
        compiled(f"{{certFile: {tmp_path}/gone.pem}}")


def test_a_key_that_openssl_does_not_take_is_told_at_load(tmp_path: Path) -> None:
    """Too weak for any client of today."""
    weak = self_signed("a.test", weak=True)
    write(weak, tmp_path / "a.pem", tmp_path / "a.key")

    with pytest.raises(ConfigurationError, match="certificate and key cannot be read"):
        compiled(f"{{certFile: {tmp_path}/a.pem, keyFile: {tmp_path}/a.key}}")


@pytest.mark.parametrize(
    "entry",
    [
        '{certFile: "a*.pem", keyFile: "a.key"}',
        '{certFile: "*/*.pem", keyFile: "*/*.key"}',
        '{certFile: "a*.pem"}',
    ],
)
def test_patterns_that_cannot_be_meant(entry: str) -> None:
    """One star on each side, or none."""
    with pytest.raises(ConfigurationError, match=r"needs one \* in certFile and one in keyFile"):
        compiled(entry)


# --- watching --------------------------------------------------------------------------------------------------


async def following(folder: Path, entry: str) -> AsyncGenerator[Routing | Failed, None]:
    routes = folder / "routes.yml"
    routes.write_text(f"tls: {{certificates: [{entry}]}}")
    throttled = f"{STATIC}\nproviders: {{providersThrottleDuration: 1ms, file: {{filename: {routes}}}}}\n"
    async with aclosing(follow(static_of(throttled))) as outcomes:
        async for outcome in outcomes:
            yield outcome


async def next_certificates(outcomes: AsyncGenerator[Routing | Failed, None]) -> tuple[Certificate, ...]:
    outcome = await asyncio.wait_for(anext(outcomes), 10)
    assert isinstance(outcome, Routing), outcome
    return outcome.table.certificates


async def test_a_renewed_certificate_is_used_at_once(tmp_path: Path) -> None:
    """Written in place, or renamed into place: a new table, although the configuration has not changed."""
    folder = tmp_path / "certs"
    cert, key = folder / "a.pem", folder / "a.key"
    write(self_signed("a.test"), cert, key)
    second, third = self_signed("a.test"), self_signed("a.test")

    async with aclosing(following(tmp_path, f"{{certFile: {cert}, keyFile: {key}}}")) as outcomes:
        await next_certificates(outcomes)
        await asyncio.sleep(0.3)
        write(second, cert, key)
        assert await next_certificates(outcomes) == (second,)

        write(third, tmp_path / "new.pem", tmp_path / "new.key")
        (tmp_path / "new.key").rename(key)
        (tmp_path / "new.pem").rename(cert)
        assert await next_certificates(outcomes) == (third,)


async def test_links_are_followed(tmp_path: Path) -> None:
    """As certbot does it: the file is a link, and the link is pointed at another file."""
    first, second = self_signed("a.test"), self_signed("a.test")
    write(first, tmp_path / "archive" / "cert1.pem", tmp_path / "archive" / "key1.pem")
    write(second, tmp_path / "archive" / "cert2.pem", tmp_path / "archive" / "key2.pem")
    live = tmp_path / "live" / "a.test"
    live.mkdir(parents=True)
    for kind in ("cert", "key"):
        (live / f"{kind}.pem").symlink_to(tmp_path / "archive" / f"{kind}1.pem")
    entry = f'{{certFile: "{tmp_path}/live/*/cert.pem", keyFile: "{tmp_path}/live/*/key.pem"}}'

    async with aclosing(following(tmp_path, entry)) as outcomes:
        assert await next_certificates(outcomes) == (first,)
        await asyncio.sleep(0.3)
        for kind in ("key", "cert"):
            (live / f"{kind}.new").symlink_to(tmp_path / "archive" / f"{kind}2.pem")
            (live / f"{kind}.new").rename(live / f"{kind}.pem")
        made = await next_certificates(outcomes)
        assert made == (second,)

        third = self_signed("b.test")
        write(third, tmp_path / "live" / "b.test" / "cert.pem", tmp_path / "live" / "b.test" / "key.pem")
        while set(made) != {second, third}:
            made = await next_certificates(outcomes)


async def test_a_file_that_appears_later(tmp_path: Path) -> None:
    """A folder that fills after the start, and one that is swapped as a whole."""
    folder = tmp_path / "certs"
    folder.mkdir()
    made = self_signed("a.test")

    async with aclosing(following(tmp_path, f"{{certFile: {folder}}}")) as outcomes:
        assert await next_certificates(outcomes) == ()
        await asyncio.sleep(0.3)
        write(made, folder / "a.pem", folder / "a.key")
        assert await next_certificates(outcomes) == (made,)
        shutil.rmtree(folder)
