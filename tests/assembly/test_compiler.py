"""The process that makes routing tables: what it is asked, what it leaves behind, and what happens when it fails."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from doorward.assembly import compiler
from doorward.assembly.compiler import Compiler
from doorward.assembly.state_folder import StateFolder
from doorward.cli.plans import plan_of
from doorward.messages.compiling import Failed, Kept, RoutesMade, Routing
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.plan import Plan, RoutesPlan
from doorward.messages.routing import RoutingTable
from doorward.sources.applications import ProxiedApplications
from doorward.sources.following import CannotMake, follow
from net.certificates import self_signed
from sources.test_proxied import provider

NOBODY = OutpostConfiguration()
ONE = OutpostConfiguration(providers=(provider(host="https://wiki.localhost"),))
ROUTES = """
http:
  routers: {app: {rule: "Host(`{host}`)", service: app}}
  services: {app: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}}
"""


def plan(folder: Path, more: str = "") -> Plan:
    """Of a configuration whose routes are in ``routes.yml``."""
    config = folder / "doorward.yml"
    config.write_text(
        "entryPoints: {web: {address: ':80'}, websecure: {address: ':443', http: {tls: {}}}}\n"
        f"providers: {{file: {{filename: {folder}/routes.yml}}}}\n"
        f"identity: {{externalUrl: 'https://auth.example.test', data: {folder}}}\n{more}"
    )
    return plan_of(config)


def write(folder: Path, host: str, more: str = "") -> None:
    (folder / "routes.yml").write_text(ROUTES.replace("{host}", host) + more)


def made_by(folder: Path, more: str = "", **options: object) -> Compiler:
    return Compiler(plan(folder, more), StateFolder(folder, folder / "run"), **options)  # type: ignore[arg-type]


def routing(made: RoutesMade) -> Routing:
    assert isinstance(made.outcome, Routing), made.outcome
    return made.outcome


def rules(made: RoutesMade) -> list[str]:
    own = ("@file", "@outpost")
    return sorted({each.rule_text for each in routing(made).table.routers if each.name.endswith(own)})


async def test_it_goes_when_nothing_must_be_quick_and_the_next_one_goes_on(tmp_path: Path) -> None:
    """The last good files count for whatever another source says, whichever process read them."""  # S-715
    asked = made_by(tmp_path)
    write(tmp_path, "one")
    assert rules(await asked.make(True, NOBODY)) == ["Host(`one`)"]
    assert not asked.running

    (tmp_path / "routes.yml").write_text("http:\n  routers: {app: {rulle: x}}\n")
    refused = (await asked.make(True, NOBODY)).outcome
    assert asked.running  # there may be another change soon
    await asked.close()
    assert isinstance(refused, Failed)
    assert f"{tmp_path}/routes.yml:2: http.routers.app.rulle" in refused.problems
    assert "rule" in refused.problems

    assert rules(await asked.make(False, ONE)) == ["Host(`one`)", "Host(`wiki.localhost`)"]
    assert asked.running
    write(tmp_path, "two")
    assert rules(await asked.make(True, ONE)) == ["Host(`two`)", "Host(`wiki.localhost`)"]
    await asked.close()


async def test_it_is_ready_when_an_administrator_is_at_work(tmp_path: Path) -> None:
    """The first application in proxy mode does not wait for it to be started."""
    write(tmp_path, "app")
    asked = made_by(tmp_path)
    asked.expect()
    async with asyncio.timeout(30):
        while not asked.running:
            await asyncio.sleep(0.01)
    assert rules(await asked.make(True, NOBODY)) == ["Host(`app`)"]
    assert asked.running
    await asked.close()
    assert not asked.running


async def test_certificates_stay_whichever_process_read_or_made_them(tmp_path: Path) -> None:
    """A renewal that goes wrong takes no host off the air; a host of the local authority keeps its certificate."""
    # S-705
    good = self_signed("app.example.test")
    chain, key = tmp_path / "app.pem", tmp_path / "app.key"
    chain.write_text(good.chain_pem)
    key.write_text(good.key_pem)
    write(tmp_path, "app", f"tls: {{certificates: [{{certFile: {chain}, keyFile: {key}}}]}}\n")
    asked = made_by(tmp_path)
    first = await asked.make(True, ONE)
    await asked.close()
    chain.write_text("-----BEGIN CERTIFICATE-----")
    second = await asked.make(True, ONE)
    await asked.close()

    assert good in routing(second).table.certificates
    assert any("the certificate that was read before stays in use" in said for said in routing(second).warnings)
    assert routing(second).table == routing(first).table
    assert len(routing(first).table.certificates) == 2  # the second: wiki.localhost's, of the local authority
    assert first.files is not None
    assert str(chain) in first.files


async def test_what_the_metrics_and_the_api_say_is_made_with_the_table(tmp_path: Path) -> None:
    """They need what was written, and the code for certificates; the control process has neither."""
    write(tmp_path, "app")
    asked = routing(await made_by(tmp_path, "api: {}\n").make(True, NOBODY))

    assert asked.api is not None
    assert "app@file" in [router["name"] for router in asked.api.routers]
    assert routing(await made_by(tmp_path).make(True, NOBODY)).api is None


async def test_the_static_configuration_is_that_of_the_start(tmp_path: Path) -> None:
    """A table fits the entry points that are there, whatever the file says by now."""
    write(tmp_path, "app")
    asked = made_by(tmp_path)
    (tmp_path / "doorward.yml").write_text("entryPoints: {}\n")

    assert rules(await asked.make(True, NOBODY)) == ["Host(`app`)"]


async def test_a_compiler_that_dies_or_hangs_is_told_and_another_one_is_started(tmp_path: Path) -> None:
    """Nobody waits for ever, and the next question is answered."""
    write(tmp_path, "app")
    ill = tmp_path / "ill"
    script = f'if test -e {ill}; then . {ill}; else exec "$@"; fi'
    program = ("sh", "-c", script, "sh", *compiler.PROGRAM)
    ill.write_text("exit 3")
    asked = made_by(tmp_path, program=program)
    with pytest.raises(CannotMake, match="exit status 3"):
        await asked.make(True, NOBODY)
    ill.write_text("kill -SEGV $$")
    with pytest.raises(CannotMake, match="signal 11"):
        await asked.make(True, NOBODY)
    ill.write_text("exec sleep 60")
    hasty = made_by(tmp_path, program=program, patience=0.2)
    with pytest.raises(CannotMake, match=r"longer than 0\.2 seconds"):
        await hasty.make(True, NOBODY)
    assert not hasty.running
    ill.unlink()
    assert rules(await asked.make(True, NOBODY)) == ["Host(`app`)"]


async def test_what_could_not_be_made_is_told_and_changes_nothing() -> None:
    """The last table stays in force; the next one is taken."""
    reload = asyncio.Event()
    applications = ProxiedApplications()
    asked: list[bool] = []

    async def make(read: bool, outposts: OutpostConfiguration) -> RoutesMade:
        asked.append(read)
        if len(asked) == 2:
            raise CannotMake("nobody is there")
        return RoutesMade(Routing(RoutingTable(), (f"table {len(asked)}",)), (), Kept())

    async with aclosing(follow(make, RoutesPlan(), applications, reload)) as outcomes:
        first = await anext(outcomes)
        applications.use(ONE)
        second = await anext(outcomes)
        applications.use(NOBODY)
        third = await anext(outcomes)

    assert isinstance(first, Routing)
    assert second == Failed("nobody is there")
    assert isinstance(third, Routing)
    assert (first.table.version, third.table.version) == (1, 2)
    assert asked == [True, False, False]


def test_the_control_process_carries_no_configuration_library() -> None:
    """That is what the compiler is for: the process that stays is a third as large."""
    heavy = ("pydantic", "yaml", "lark", "django", "click")
    program = f"import sys, doorward.assembly.control_process; print([n for n in {heavy} if n in sys.modules])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"
